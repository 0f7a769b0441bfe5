"""What forms ask for, and how people answer: names, days, places, numbers and remarks."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from omma.synth.documents.lexicon import pick
from omma.synth.documents.prose import clock, code, company, date, mail, person, phone, phrase, street
from omma.synth.world import Split

# What is asked for, and how it is answered.
ANSWERS: tuple[tuple[str, Callable[[Split, Random], str]], ...] = (
    ("Name", person),
    ("Full name", person),
    ("First name", lambda split, dice: pick("first name", split, dice)),
    ("Last name", lambda split, dice: pick("last name", split, dice)),
    ("Surname", lambda split, dice: pick("last name", split, dice)),
    ("Date of birth", lambda split, dice: date(dice)),
    ("Birthday", lambda split, dice: date(dice)),
    ("Date", lambda split, dice: date(dice)),
    ("Valid until", lambda split, dice: date(dice)),
    ("Time", lambda split, dice: clock(dice)),
    ("Street", street),
    ("Address", street),
    ("City", lambda split, dice: pick("city", split, dice)),
    ("Place of birth", lambda split, dice: pick("city", split, dice)),
    ("Country", lambda split, dice: pick("country", split, dice)),
    ("Nationality", lambda split, dice: pick("country", split, dice)),
    ("Postal code", lambda split, dice: str(dice.randint(10000, 99999))),
    ("Zip code", lambda split, dice: str(dice.randint(10000, 99999))),
    ("Phone", lambda split, dice: phone(dice)),
    ("Mobile", lambda split, dice: phone(dice)),
    ("Email", mail),
    ("E-mail", mail),
    ("Company", company),
    ("Employer", company),
    ("Department", lambda split, dice: pick("department", split, dice)),
    ("Customer no.", lambda split, dice: code(dice)),
    ("Reference", lambda split, dice: code(dice)),
    ("Passport no.", lambda split, dice: code(dice)),
    ("Account", lambda split, dice: str(dice.randint(10**7, 10**9))),
    ("Product", lambda split, dice: pick("article", split, dice)),
    ("Room", lambda split, dice: str(dice.randint(1, 420))),
    ("Comment", lambda split, dice: phrase(split, dice, dice.randint(1, 4))),
    ("Remarks", lambda split, dice: phrase(split, dice, dice.randint(1, 4))),
    ("Subject", lambda split, dice: phrase(split, dice, dice.randint(1, 3))),
)
NUMBERS = (("Age", 99), ("Quantity", 40), ("Guests", 12), ("Nights", 21), ("Children", 6), ("Hours", 48))


def coded(dice: Random) -> tuple[str, str]:
    """A label and a short answer that goes into a comb, one character a box."""
    day = f"{dice.randint(1, 28):02}{dice.randint(1, 12):02}{dice.randint(1950, 2020)}"
    return dice.choice(
        (
            ("Postal code", str(dice.randint(10000, 99999))),
            ("Date of birth", day),
            ("Account", str(dice.randint(10**5, 10**7))),
            ("Reference", code(dice).replace("-", "").replace("/", "")),
            ("PIN", str(dice.randint(1000, 9999))),
        )
    )


def key_of(label: str) -> str:
    """A label as a key: "Customer no." gives "customer_no"."""
    return re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")
