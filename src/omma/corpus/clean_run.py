"""A whole cleaning: pairs in, lines of the native form out, every change and drop written beside them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from omma.corpus.clean import LIMITS, TOGETHER
from omma.corpus.clean_batch import CleanBatch, Rules, pair_of_form
from omma.corpus.clean_pairs import Found, lines_of, picture_address
from omma.corpus.clean_report import RECORD, Report
from omma.corpus.clean_shards import PICTURES, Queue, json_line, outcomes_of, write_whole
from omma.corpus.clean_workers import Alone, Workers
from omma.corpus.near import PictureHash
from omma.corpus.near_groups import Entry, Near
from omma.errors import BadInput
from omma.prep.pictures import PictureLimits

KEPT, DROPPED, CHANGED, REPORT, SHARDS = (
    "pairs.jsonl",
    "dropped.jsonl",
    "changed.jsonl",
    "report.json",
    "unfinished",
)
MADE = (KEPT, DROPPED, CHANGED, REPORT, SHARDS, PICTURES)
OURS = "omma-data-clean"  # what tells a folder of ours from another's


@dataclass(frozen=True)
class Plan:
    """How a cleaning goes: the rules, when pairs are copies (None: nobody looks), and pairs to a shard.

    `together` of them are judged side by side: more suit a scorer that works on an accelerator.
    """

    rules: Rules
    near: Near | None = field(default_factory=Near)
    shard: int = 500
    limits: PictureLimits = LIMITS
    together: int = TOGETHER

    def __post_init__(self) -> None:
        if self.shard < 1 or self.together < 1:
            raise BadInput(
                f"a shard of {self.shard} pairs, {self.together} together; wanted at least 1 of each"
            )


def clean_corpus(
    found: Iterable[Found],
    out: Path,
    plan: Plan,
    workers: Workers | None = None,
    *,
    overwrite: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Clean what was found into the folder `out`; gives what each rule did.

    pairs.jsonl are the kept ones, dropped.jsonl those that fell with rule and reason, changed.jsonl what was
    rewritten, before and after, report.json the figures. Pictures stay where they are, untouched; those that
    came inside a shard or a table are laid into pictures/ byte for byte. The same in gives the same bytes
    out, whoever works. Run again after a stop, it does only the shards that are not done. `progress` hears
    how many pairs are done. Raises BadInput where a finished cleaning lies and `overwrite` is false.
    """
    _check_place(out, overwrite)
    work = CleanBatch(plan.rules, plan.near is not None, plan.limits, plan.together)
    report = Report([rule.name for rule in work.line_up] + ([plan.near.name] if plan.near else []))
    if overwrite:
        remove(out)
    (out / SHARDS).mkdir(parents=True, exist_ok=True)
    (out / SHARDS / OURS).touch()
    mark = repr((version("omma"), work.line_up, work.hashed, work.limits))
    queue = Queue(found, plan.shard, out / SHARDS, mark)
    files = []
    for file, done in _work_off(queue, work, workers or Alone(), out):
        files.append(file)
        if progress is not None:
            progress(done)
    _merge(_all(files), _copies(files, plan.near), out, report)
    form = {"made_by": OURS, **report.form()}
    write_whole(out / REPORT, json.dumps(form, indent=1) + "\n")
    shutil.rmtree(out / SHARDS)
    return report


def _check_place(out: Path, overwrite: bool) -> None:
    """Raise BadInput unless the folder is new, empty, a cleaning that was stopped, or one to be replaced.

    A folder with anything else in it is never touched: it may be the data's own.
    """
    if not out.exists() or not any(out.iterdir()):
        return
    finished = _is_report(out / REPORT)
    if not finished and not (out / SHARDS / OURS).exists():
        raise BadInput(f"{out} holds other things; name a folder that is new or empty")
    if finished and not overwrite:
        raise BadInput(f"{out} holds a finished cleaning; name another folder, or say --overwrite")


def _is_report(path: Path) -> bool:
    try:
        return bool(json.loads(path.read_bytes())["made_by"] == OURS)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def remove(out: Path) -> None:
    """Take away what an earlier cleaning wrote into this folder, and nothing else."""
    for name in (*MADE, *(f"{name}.part" for name in MADE)):
        path = out / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _work_off(queue: Queue, work: CleanBatch, workers: Workers, out: Path) -> Iterator[tuple[Path, int]]:
    """Do what is not done; gives each shard's file in order, and how many pairs are done with it."""
    done = 0
    for result in workers.run(work, queue.undone()):
        for shard in queue.passed():
            done += shard.size
            yield shard.file, done
        queue.head().write(result["outcome"], out)
    for shard in queue.passed():
        done += shard.size
        yield shard.file, done


def _all(files: Iterable[Path]) -> Iterator[dict[str, Any]]:
    for file in files:
        yield from outcomes_of(file)


def _copies(files: Iterable[Path], near: Near | None) -> dict[int, str]:
    """The numbers of pairs that go as copies, and why."""
    if near is None:
        return {}
    entries, places = [], {}
    for number, outcome in enumerate(_all(files)):
        if "looks" in outcome:
            waves, steps, pixels, greys, area = outcome["looks"]
            looks = PictureHash(_number(waves), _number(steps), pixels, bytes.fromhex(greys))
            entries.append(Entry(number, looks, "\n".join(outcome["kept"]["texts"]), area))
            places[number] = outcome["where"]
    return {copy.number: f"near {places[copy.kept]}: {copy.why}" for copy in near.copies(entries)}


def _number(told: str | None) -> int | None:
    return None if told is None else int(told, 16)


def _merge(outcomes: Iterable[dict[str, Any]], copies: Mapping[int, str], out: Path, report: Report) -> None:
    """Write the three files of lines, each whole or not at all."""
    names = (KEPT, DROPPED, CHANGED)
    laid = {path.name for path in (out / PICTURES).glob("*")}
    with ExitStack() as stack:
        kept, dropped, changed = (
            stack.enter_context((out / f"{name}.part").open("w", encoding="utf-8", newline="\n"))
            for name in names
        )
        for number, outcome in enumerate(outcomes):
            if number in copies:
                _drop_copy(outcome, copies[number])
            report.take(outcome["where"], outcome)
            _write_steps(outcome, out, dropped, changed)
            if "kept" in outcome:
                pair = pair_of_form(outcome["kept"])
                address = outcome.get("file") or picture_address(pair.picture, out) or ""
                kept.writelines(map(json_line, lines_of(pair, address)))
                laid.discard(Path(outcome.get("file", "")).name)
    for name in laid:
        (out / PICTURES / name).unlink()
    for name in names:
        os.replace(out / f"{name}.part", out / name)


def _drop_copy(outcome: dict[str, Any], why: str) -> None:
    """Add the step in which a pair falls as a copy."""
    outcome["steps"].append({"rule": Near.name, "why": why, "before": outcome.pop("kept")})


def _write_steps(outcome: Mapping[str, Any], out: Path, dropped: IO[str], changed: IO[str]) -> None:
    """What happened to a pair, line by line."""
    where = {"where": outcome["where"]}
    if (unread := outcome.get("unread")) is not None:
        dropped.write(json_line({**where, "rule": RECORD, **unread}))
    for step in outcome.get("steps", ()):
        told = {**where, "rule": step["rule"], "why": step["why"]}
        if "after" in step:
            changed.write(json_line({**told, "before": step["before"], "after": step["after"]}))
        else:
            fallen = step["before"]
            address = picture_address(fallen["picture"], out)
            dropped.write(json_line({**told, **fallen, "picture": address}))
