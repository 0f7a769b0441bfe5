"""Running text and figures of documents: sentences, names, dates and amounts of money."""

from __future__ import annotations

from datetime import date as Day
from random import Random
from typing import NamedTuple

from omma.synth.documents.lexicon import pick
from omma.synth.vocabulary import MONTHS, kept_for_test, word
from omma.synth.world import Split

# What a sentence is built of; {} is any common word. Small words alone, so that none gives the next one away.
_OPENINGS = (
    *(
        "the {} of {}",
        "each {}",
        "a {} {}",
        "our {}",
        "most {}",
        "{} and {}",
        "the {} {}",
        "some {}",
        "no {}",
    ),
    *("the first {}", "the {}", "all {} {}", "one {}", "this {}", "in {} the {}", "for {}, the {}"),
)
_MIDDLES = (
    *(
        "is {}",
        "was {} by the {}",
        "has {} {}",
        "can be {}",
        "and the {} are {}",
        "may {} the {}",
        "did not {}",
    ),
    *("were {} in {}", "will {} a {}", "is the {} of {}", "had no {}", "must be {} to {}", "are {} or {}"),
)
_ENDINGS = (
    *(
        "in the {}",
        "for {}",
        "on {}",
        "at the {} of {}",
        "to {} it",
        "as a {}",
        "of its {}",
        "and {}",
        "by {}",
    ),
    *("up to {}", "so that {} is {}", "but not {}", "if {} is {}", "or the {}", "", ""),
)


def sentence(split: Split, dice: Random) -> str:
    """A sentence in form, with words that cannot be guessed; sometimes a number stands in it."""
    frame = f"{dice.choice(_OPENINGS)} {dice.choice(_MIDDLES)} {dice.choice(_ENDINGS)}".strip()
    parts = frame.split("{}")
    text = parts[0]
    for part in parts[1:]:
        text += (figure(dice) if dice.random() < 0.05 else word(split, dice)) + part
    return text[:1].upper() + text[1:] + dice.choices(".?!;", (30, 1, 1, 1))[0]


def sentences(split: Split, dice: Random, letters: int) -> str:
    """Sentences of at least so many letters together."""
    told: list[str] = []
    while sum(map(len, told)) + len(told) < letters:
        told.append(sentence(split, dice))
    text = " ".join(told)
    return text[:-1] + "." if text.endswith(";") else text


def phrase(split: Split, dice: Random, count: int) -> str:
    """A few words as on a list or a sign, the first with a capital."""
    text = " ".join(word(split, dice) for _ in range(count))
    return text[:1].upper() + text[1:]


def program(split: Split, dice: Random) -> list[str]:
    """Two to five lines of a program."""
    lines = []
    for _ in range(dice.randint(2, 5)):
        a, b, c = (word(split, dice) for _ in range(3))
        forms = (
            f"{a} = {b}({dice.randint(0, 99)})",
            f"{a}.{b}({c})",
            f"if {a} > {dice.randint(0, 9)}:",
            f"import {a}",
        )
        lines.append(dice.choice((*forms, f"{a} = [{b}, {c}]", f'print("{a}")', f"# {a} {b}", f"return {a}")))
    return lines


def person(split: Split, dice: Random) -> str:
    """A first and a last name."""
    return f"{pick('first name', split, dice)} {pick('last name', split, dice)}"


def company(split: Split, dice: Random) -> str:
    """A firm's name."""
    if dice.random() < 0.3:
        return f"{pick('last name', split, dice)} {pick('trade', split, dice)}"
    return f"{pick('company', split, dice)} {pick('trade', split, dice)}"


def street(split: Split, dice: Random) -> str:
    """A street with a number."""
    return f"{dice.randint(1, 250)} {pick('street', split, dice)}"


def town(split: Split, dice: Random) -> str:
    """A town with its code, before or behind."""
    code, name = dice.randint(10000, 99999), pick("city", split, dice)
    return f"{code} {name}" if dice.random() < 0.6 else f"{name} {code}"


def phone(dice: Random) -> str:
    """A telephone number."""
    a, b, c = dice.randint(100, 999), dice.randint(100, 999), dice.randint(1000, 9999)
    return dice.choice(
        (f"({a}) {b}-{c}", f"{a}-{b}-{c}", f"+{dice.randint(1, 99)} {a} {b}{c}", f"0{a} {b}{c}")
    )


def mail(split: Split, dice: Random) -> str:
    """An address for electronic mail."""
    first, last = pick("first name", split, dice).lower(), pick("last name", split, dice).lower()
    name = dice.choice((f"{first}.{last}", f"{first}{dice.randint(1, 99)}", f"{first[0]}{last}", last))
    if split == "train" and kept_for_test(name):
        name = f"{name}{dice.randint(1, 99)}"
    return f"{name}@{dice.choice(('mail', 'post', 'web', 'example'))}.{dice.choice(('com', 'org', 'net'))}"


def code(dice: Random) -> str:
    """A number as papers bear it: with a year, with letters, or plain."""
    number, letters = dice.randint(1, 99999), "ABCDEFGHJKLMNPRSTUVWXYZ"
    return dice.choice(
        (
            f"{dice.randint(2015, 2030)}-{number % 1000:03}",
            f"{dice.choice(letters)}{dice.choice(letters)}-{number:05}",
            f"{number:05}",
            f"INV-{number:04}",
            f"{dice.choice(letters)}{number}",
            f"{number % 100:02}/{dice.randint(2015, 2030)}",
        )
    )


DATES = (
    *("{y}-{m:02}-{d:02}", "{d:02}.{m:02}.{y}", "{d:02}/{m:02}/{y}", "{m:02}/{d:02}/{y}", "{d} {month} {y}"),
    *("{month} {d}, {y}", "{d} {short} {y}", "{short} {d}, {y}", "{d}.{m}.{y}", "{d:02}-{short}-{y}"),
)


def day(dice: Random) -> Day:
    """Some day of the last decades or the next years."""
    return Day(dice.randint(1995, 2030), dice.randint(1, 12), dice.randint(1, 28))


def written(when: Day, form: str) -> str:
    """A day in one of the ways of DATES."""
    name = MONTHS[when.month - 1]
    return form.format(y=when.year, m=when.month, d=when.day, month=name, short=name[:3])


def date(dice: Random, form: str | None = None) -> str:
    """A day in one of the usual ways of writing it."""
    return written(day(dice), form or dice.choice(DATES))


def clock(dice: Random) -> str:
    """A time of day."""
    hour, minute = dice.randint(0, 23), dice.randint(0, 59)
    if dice.random() < 0.25:
        return f"{(hour - 1) % 12 + 1}:{minute:02} {'am' if hour < 12 else 'pm'}"
    return f"{hour:02}:{minute:02}"


def figure(dice: Random) -> str:
    """A number as it stands in running text."""
    whole = dice.randint(2, dice.choice((20, 200, 5000)))
    return dice.choice(
        (str(whole), str(whole), f"{whole % 100}%", str(dice.randint(1900, 2030)), f"{whole}.5")
    )


class Money(NamedTuple):
    """How amounts are written on one paper: "{}" with the digits in it, thousands parted or not."""

    form: str
    parted: bool

    def write(self, cents: int) -> str:
        """The amount with its sign or currency, as it is printed."""
        digits = f"{abs(cents) / 100:,.2f}" if self.parted else f"{abs(cents) / 100:.2f}"
        return ("-" if cents < 0 else "") + self.form.format(digits)


def money(dice: Random) -> Money:
    """A way of writing amounts: bare, with a dollar's sign, or with a currency's name."""
    form = dice.choices(
        ("{}", "${}", "{} USD", "EUR {}", "{} EUR", "CHF {}", "{} kr"), (5, 5, 1, 1, 1, 1, 1)
    )[0]
    return Money(form, dice.random() < 0.6)
