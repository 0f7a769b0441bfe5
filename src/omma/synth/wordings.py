"""How each task is asked: wordings for training, others for the test, and the prompts omma itself uses."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from random import Random
from typing import NamedTuple

from omma.synth.world import Split


class Wording(NamedTuple):
    """Wordings of one task. `shared` ones are omma's own prompts and belong to both splits."""

    train: tuple[str, ...]
    test: tuple[str, ...]
    shared: tuple[str, ...]


@cache
def wordings() -> dict[str, Wording]:
    """All wordings by task, from the lists that stand beside this file: each task in one of them."""
    lists = sorted(file.name for file in files("omma.synth").iterdir() if file.name.startswith("wordings"))
    texts = [(files("omma.synth") / name).read_text("utf-8") for name in lists if name.endswith(".txt")]
    return read_wordings("\n".join(texts))


def read_wordings(text: str) -> dict[str, Wording]:
    """Wordings by task, from a list: [task], then one a line: > in training, ? in the test, = in both."""
    found: dict[str, dict[str, list[str]]] = {}
    task = ""
    for line in text.splitlines():
        if line.startswith("["):
            task = line.strip("[]")
            found[task] = {">": [], "?": [], "=": []}
        elif line and not line.startswith("#"):
            found[task][line[0]].append(line[2:])
    return {
        task: Wording(tuple(lists[">"]), tuple(lists["?"]), tuple(lists["="]))
        for task, lists in found.items()
    }


def phrase(task: str, split: Split, dice: Random) -> str:
    """A wording of this split; a shared one every second time where there is one."""
    wording = wordings()[task]
    if wording.shared and dice.random() < 0.5:
        return dice.choice(wording.shared)
    return dice.choice(wording.train if split == "train" else wording.test)


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
