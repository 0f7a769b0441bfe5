"""How fast the data engine draws: exercises a second and core of every world, in processor time.

python -m bench.worlds           # every world at every level -> docs/results/worlds.json
python -m bench.worlds clips     # one of them, printed only
"""

from __future__ import annotations

import argparse
import time

from bench.results import Table
from omma.errors import OmmaError
from omma.synth.exercise import LEVELS, WORLDS, draw

EACH = 12  # exercises of each world and level that are counted
UNCOUNTED = 2  # fonts and drawings are found and opened once in a process


def speed(world: str, level: int, each: int) -> tuple[float, float, float]:
    """Exercises, pictures and questions a second of one core, with all maps, as training draws them."""
    for number in range(UNCOUNTED):
        draw(world, (1, number), level=level)
    began = time.process_time()
    drawn = [draw(world, (2, number), level=level) for number in range(each)]
    seconds = time.process_time() - began
    pictures = sum(len(exercise.drawings) for exercise in drawn)
    questions = sum(len(exercise.turns) for exercise in drawn)
    return each / seconds, pictures / seconds, questions / seconds


def add_row(table: Table, world: str, each: int) -> None:
    """One world: its exercises a second over all levels alike, and by level."""
    try:
        found = [speed(world, level, each) for level in LEVELS]
    except OmmaError as wrong:
        table.row(world, None, note=str(wrong))
        return
    whole, pictures, questions = (
        len(found) / sum(1 / speeds[which] for speeds in found) for which in range(3)
    )
    levels = ", ".join(f"{speeds[0]:.0f}" for speeds in found)
    note = f"levels 0 to 3: {levels}; {pictures:.0f} pictures and {questions:.0f} questions a second"
    table.row(world, round(whole, 1), "a second and core", note=note)


def main() -> int:
    """Print the table; write it when every world was drawn."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.worlds", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("worlds", nargs="*", metavar="WORLD", help=f"of {', '.join(WORLDS)}")
    parser.add_argument("--each", type=int, default=EACH, help="exercises of each world and level")
    wish = parser.parse_args()
    if unknown := sorted(set(wish.worlds) - set(WORLDS)):
        parser.error(f"no world is called {', '.join(unknown)}; wanted any of {', '.join(WORLDS)}")
    if wish.each < 1:
        parser.error(f"--each {wish.each}: wanted at least 1 exercise")
    table = Table("worlds", "python -m bench.worlds")
    for world in wish.worlds or WORLDS:
        add_row(table, world, wish.each)
    if wish.worlds:
        table.show()
        return table.exit_code
    return table.publish()


if __name__ == "__main__":
    raise SystemExit(main())
