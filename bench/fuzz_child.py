"""One parser under a fuzzer, in a process that may die of it. Started by bench.fuzz."""

from __future__ import annotations

import faulthandler
import hashlib
import importlib.util
import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.fuzz_targets import PARSERS, Parser
from bench.fuzz_words import Run

# Seconds that one input may take: of computing, which a busy machine does not lengthen, and of the clock.
PATIENCE = {signal.ITIMER_PROF: 10, signal.ITIMER_REAL: 120}
TOLD = 2.0  # seconds between two reports
ODD = (b"\0", b"\xff", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\x01\0\0\0")


class Slow(BaseException):
    """An input took longer than it may."""


class Watch:
    """Runs a parser on one input after the other; keeps what is found, and tells at the end."""

    def __init__(self, run: Run, folder: Path, how: str) -> None:
        self._run, self._folder, self._how = run, folder, how
        self.count = 0
        self.found: dict[str, str] = {}
        self._told = time.monotonic()
        self._last = (folder / "last").open("wb", buffering=0)
        for alarm in (signal.SIGPROF, signal.SIGALRM):
            signal.signal(alarm, self._alarmed)

    def __call__(self, data: bytes) -> None:
        """Run one input. It is written down first: a crash leaves no time for it."""
        self._last.seek(0)
        self._last.write(data)
        self._last.truncate()
        self.count += 1
        for clock, seconds in PATIENCE.items():
            signal.setitimer(clock, seconds)
        try:
            self._run(data)
        except Slow:
            self._keep(
                data, f"no end within {PATIENCE[signal.ITIMER_PROF]} s of computing", sys.exc_info()[2]
            )
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # whatever comes out of a parser is what is looked for
            self._keep(data, f"{type(error).__name__}: {str(error)[:120]}", error.__traceback__)
        finally:
            for clock in PATIENCE:
                signal.setitimer(clock, 0)
        if time.monotonic() - self._told > TOLD:
            self.tell()

    def tell(self) -> None:
        """Write the report so far."""
        self._told = time.monotonic()
        told = {"count": self.count, "found": sorted(self.found.values()), "how": self._how}
        (self._folder / "report.json").write_text(json.dumps(told))

    def close(self) -> None:
        """Tell, and let go of the last input."""
        self.tell()
        self._last.close()

    def _keep(self, data: bytes, what: str, trace: Any) -> None:
        ours = [frame for frame in traceback.extract_tb(trace) if "/omma/" in frame.filename]
        place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"
        if f"{place} {what[:40]}" not in self.found:
            name = f"finding-{hashlib.sha256(data).hexdigest()[:12]}"
            (self._folder / name).write_bytes(data)
            (self._folder / f"{name}.txt").write_text("".join(traceback.format_tb(trace)) + what + "\n")
            self.found[f"{place} {what[:40]}"] = f"{what} at {place} ({name})"

    def _alarmed(self, *_: object) -> None:
        raise Slow


def mutated(seeds: list[bytes], dice: random.Random, longest: int) -> bytes:
    """A whole input with some of it changed, cut, doubled, or put together with another."""
    data = bytearray(dice.choice(seeds))
    for _ in range(dice.choice((1, 1, 2, 4, 8, 32))):
        at = dice.randrange(len(data) + 1)
        match dice.randrange(7):
            case 0 if at < len(data):
                data[at] ^= 1 << dice.randrange(8)
            case 1 if at < len(data):
                data[at] = dice.randrange(256)
            case 2:
                odd = dice.choice(ODD)
                data[at : at + len(odd)] = odd
            case 3:
                data[at:at] = dice.randbytes(dice.randrange(1, 9))
            case 4:
                del data[at : at + dice.choice((1, 2, 4, 16, 256))]
            case 5:
                data[at:at] = data[at : at + dice.choice((1, 8, 64))] * dice.choice((1, 2, 16))
            case _:
                other = dice.choice(seeds)
                data[at:] = other[dice.randrange(len(other) + 1) :]
    return bytes(data[:longest])


def by_chance(parser: Parser, watch: Callable[[bytes], None], seconds: float, seed: int) -> None:
    """Inputs changed at random."""
    dice, seeds = random.Random(seed), parser.seeds()
    ends = time.monotonic() + seconds
    for whole in seeds:
        watch(whole)
    while time.monotonic() < ends:
        watch(mutated(seeds, dice, parser.longest))


def again(name: str, path: Path) -> None:
    """Run one input alone, and let come what comes."""
    PARSERS[name].ready()(path.read_bytes())
    print(f"{path} is refused or read as it is to be")


def main() -> None:
    """Fuzz one parser for some seconds."""
    name, folder, seconds, seed = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    faulthandler.enable()
    parser = PARSERS[name]
    if importlib.util.find_spec("atheris") is None:
        watch = Watch(parser.ready(), folder, "changed at random")
        by_chance(parser, watch, seconds, seed)
        watch.close()
        return
    import atheris

    with atheris.instrument_imports(include=["omma.prep", "omma.serve", "omma.engine", "omma.chat", "PIL"]):
        run = parser.ready()
    watch = Watch(run, folder, "steered by coverage")
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for number, whole in enumerate(parser.seeds()):
        (corpus / f"seed-{number}").write_bytes(whole)
    ends = time.monotonic() + seconds

    def one(data: bytes) -> None:
        if time.monotonic() > ends:
            watch.tell()
            os._exit(0)  # the fuzzer takes any other end for a crash
        watch(data)

    words = [
        f"-max_len={parser.longest}",
        f"-seed={seed}",
        "-timeout=60",
        "-rss_limit_mb=4096",
        "-verbosity=0",
    ]
    atheris.Setup(["fuzz", *words, f"-artifact_prefix={folder}/", str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
