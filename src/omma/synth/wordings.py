"""How each task is asked: wordings for training, others for the test, and the prompts omma itself uses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import accumulate
from math import log2, prod
from random import Random
from typing import NamedTuple, TypeAlias

from omma.synth.world import Split


class Wording(NamedTuple):
    """Wordings of one task. `shared` ones are omma's own prompts and belong to both splits."""

    train: tuple[str, ...]
    test: tuple[str, ...]
    shared: tuple[str, ...]


@dataclass(frozen=True)
class Fork:
    """A place in a line where one of several ways is taken."""

    ways: tuple[Run, ...]


Run: TypeAlias = "tuple[str | Fork, ...]"


@cache
def wordings() -> dict[str, Wording]:
    """All wordings by task, from the lists that stand beside this file: each task in one of them."""
    lists = sorted(file.name for file in files("omma.synth").iterdir() if file.name.startswith("wordings"))
    texts = [(files("omma.synth") / name).read_text("utf-8") for name in lists if name.endswith(".txt")]
    return read_wordings("\n".join(texts))


def read_wordings(text: str) -> dict[str, Wording]:
    """Wordings by task, from a list: [task], then one a line: > in training, ? in the test, = in both.

    A line in training may fork, `(a|b|)`, and name a part, `<here>`, that a line `@here a|b` told before.
    """
    found: dict[str, dict[str, list[str]]] = {}
    parts: dict[str, str] = {}
    task = ""
    for line in text.splitlines():
        if line.startswith("["):
            task = line.strip("[]")
            found[task] = {">": [], "?": [], "=": []}
        elif line.startswith("@"):
            name, _, told = line[1:].partition(" ")
            parts[name] = f"({_with_parts(told, parts)})"
        elif line and not line.startswith("#"):
            plain = line[2:]
            found[task][line[0]].append(_with_parts(plain, parts) if line[0] == ">" else plain)
    return {
        task: Wording(tuple(lists[">"]), tuple(lists["?"]), tuple(lists["="]))
        for task, lists in found.items()
    }


def _with_parts(line: str, parts: dict[str, str]) -> str:
    return re.sub(r"<([a-z_]+)>", lambda named: parts.get(named[1], named[0]), line)


@cache
def read_line(line: str) -> Run:
    """A line of training as text and forks. Brackets without a bar in them, and bars outside, are text."""
    run: list[str | Fork] = []
    depth, opened, bars = 0, 0, [0]
    text = 0
    for at, sign in enumerate(line):
        if sign == "(":
            depth += 1
            if depth == 1:
                opened, bars = at, [at]
        elif sign == "|" and depth == 1:
            bars.append(at)
        elif sign == ")" and depth:
            depth -= 1
            if depth == 0 and len(bars) > 1:
                edges = [*bars, at]
                ways = [line[edges[i] + 1 : edges[i + 1]] for i in range(len(bars))]
                run += [line[text:opened], Fork(tuple(read_line(way) for way in ways))]
                text = at + 1
    return tuple(part for part in (*run, line[text:]) if part)


def forms(run: Run) -> int:
    """How many ways lead through a line; none of them is built."""
    return prod(sum(forms(way) for way in part.ways) for part in run if isinstance(part, Fork))


def one_form(line: str, dice: Random) -> str:
    """One form of a line, spaced and with capitals as it is written; a line without forks as it stands."""
    run = read_line(line)
    if not any(isinstance(part, Fork) for part in run):
        return line
    text = " ".join(_walked(run, dice).split())
    text = re.sub(r" (?=[?.,:;!])", "", text)
    return re.sub(r"(^|[.?!] )([a-z])(?![a-z]*_)", lambda start: start[1] + start[2].upper(), text)


def _walked(run: Run, dice: Random) -> str:
    return "".join(part if isinstance(part, str) else _walked(dice.choice(part.ways), dice) for part in run)


@cache
def _weights(task: str) -> list[float]:
    """For each line of training how often it and those before it are drawn: as the logarithm of its forms."""
    return list(accumulate(1 + log2(forms(read_line(line))) for line in wordings()[task].train))


def phrase(task: str, split: Split, dice: Random) -> str:
    """A wording of this split; a shared one every second time where there is one."""
    wording = wordings()[task]
    if wording.shared and dice.random() < 0.5:
        return dice.choice(wording.shared)
    if split == "test":
        return dice.choice(wording.test)
    return one_form(dice.choices(wording.train, cum_weights=_weights(task))[0], dice)


_ORDERS = (
    *("count", "describe", "detect", "find", "give", "identify", "list", "locate", "look", "mark", "name"),
    *("output", "point", "press", "read", "return", "show", "tap", "tell", "transcribe", "click", "touch"),
    *("write", "check", "caption", "extract"),
)
_ENDS = re.compile(r"[\w}\"][?.]$")
_UNPLEASED = re.compile(r"please|thank|\b(right|true|correct|so|not|no|is it|yes|ok)[?.]$", re.IGNORECASE)


def typed(template: str, dice: Random, *, last: bool = True) -> str:
    """A template of training as people type it: seldom with a "please", in small letters, or without an end.

    `last` tells that nothing follows: only then the end may be missing. Fields are as they were.
    """
    first = template.split(" ")[0]
    if dice.random() < 0.1 and not _UNPLEASED.search(template):
        if first.lower() in _ORDERS and dice.random() < 0.5:
            template = f"Please {first.lower()}{template[len(first) :]}"
        elif last and _ENDS.search(template):
            template = f"{template[:-1]}{dice.choice((', please', ' please'))}{template[-1]}"
    if dice.random() < 0.12:
        template = template.lower()
    if last and dice.random() < 0.12 and _ENDS.search(template):
        template = template[:-1]
    return template


def hint(form: str, split: Split, dice: Random) -> str:
    """What is sometimes said of an answer's form, after a question: "one word", "number", "yes or no"."""
    return f" {phrase(f'hint: {form}', split, dice)}" if dice.random() < 0.3 else ""


def article(what: str) -> str:
    """With "a" or "an" before it, as it is spoken."""
    first = what.strip('"')[:1].lower()
    return f"{'an' if first in tuple('aeiou') else 'a'} {what}"


_PLURALS = {"fish": "fish", "butterfly": "butterflies", "cross": "crosses", "checkbox": "checkboxes"}


def plural(what: str) -> str:
    """More than one of it: "red circle" gives "red circles"."""
    head, _, last = what.rpartition(" ")
    many = _PLURALS.get(last, f"{last}s")
    return f"{head} {many}" if head else many
