"""What is printed: common words, names, numbers, dates, prices, and strings that cannot be guessed."""

from __future__ import annotations

import string
from functools import cache
from importlib.resources import files
from random import Random
from zlib import crc32

from omma.synth.world import Split

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
LABELS = (
    *("Save", "Cancel", "OK", "Sign in", "Sign up", "Log out", "Submit", "Send", "Delete", "Edit", "Search"),
    *(
        "Next",
        "Back",
        "Close",
        "Open",
        "Apply",
        "Reset",
        "Continue",
        "Help",
        "Add",
        "Remove",
        "Share",
        "Copy",
    ),
    *("Upload", "Download", "Print", "Refresh", "Start", "Stop", "Play", "Pause", "Buy now", "Add to cart"),
    *(
        "Checkout",
        "Subscribe",
        "Learn more",
        "Get started",
        "Try again",
        "Yes",
        "No",
        "Done",
        "Create",
        "Update",
    ),
)
FIELDS = (
    *("Name", "First name", "Last name", "Email", "Password", "Phone", "Address", "City", "Country", "Date"),
    *(
        "Username",
        "Company",
        "Message",
        "Subject",
        "Zip code",
        "Age",
        "Title",
        "Amount",
        "Website",
        "Comment",
    ),
)
SWITCHES = (
    *("Remember me", "Dark mode", "Notifications", "I agree", "Wi-Fi", "Bluetooth", "Sound", "Location"),
    *(
        "Newsletter",
        "Auto save",
        "Updates",
        "Show hidden files",
        "Keep me signed in",
        "Airplane mode",
        "Sync",
    ),
)
CHOICES = (
    *("Small", "Medium", "Large", "Monthly", "Yearly", "Free", "Pro", "Basic", "Standard", "Express", "Card"),
    *("Cash", "Male", "Female", "Daily", "Weekly", "Red", "Green", "Blue", "Light", "Dark", "Left", "Right"),
)
PAGES = (
    *(
        "Home",
        "Settings",
        "Profile",
        "About",
        "Contact",
        "Products",
        "Account",
        "Messages",
        "Photos",
        "Files",
    ),
    *("Help", "News", "Users", "Orders", "Reports", "Billing", "Security", "General", "Privacy", "Overview"),
)
MENU = ("File", "Edit", "View", "Insert", "Format", "Tools", "Window", "Help", "History", "Bookmarks")
# Letters and digits that nobody confuses when no word helps.
_MIXED = "".join(sorted(set(string.ascii_letters + string.digits) - set("lI1O0o")))
_NEVER_HELD_OUT = frozenset(
    word.lower()
    for labels in (LABELS, FIELDS, SWITCHES, CHOICES, PAGES, MENU, MONTHS)
    for label in labels
    for word in label.split()
)


@cache
def _all_words() -> tuple[str, ...]:
    return tuple((files("omma.synth") / "words.txt").read_text("ascii").split())


def kept_for_test(word: str) -> bool:
    """Whether this word, in any case, never prints in training."""
    return word.lower() in _held_out_words()


@cache
def _held_out_words() -> frozenset[str]:
    """One long word in twenty, by its checksum."""
    long = (word for word in _all_words() if len(word) > 3 and word not in _NEVER_HELD_OUT)
    return frozenset(word for word in long if crc32(word.encode()) % 20 == 0)


@cache
def words(held_out: bool) -> tuple[str, ...]:
    """The common words of training, or those kept for the test; lowercase, 2 to 12 letters."""
    return tuple(word for word in _all_words() if kept_for_test(word) == held_out)


def word(split: Split, dice: Random) -> str:
    """A common word; in the test split every second one was never seen in training."""
    return dice.choice(words(split == "test" and dice.random() < 0.5))


def scramble(split: Split, dice: Random) -> str:
    """Two to eight letters or digits in no order, so that reading cannot be guessed."""
    while True:
        letters = dice.choice((string.ascii_lowercase, string.ascii_uppercase, string.digits, _MIXED))
        made = "".join(dice.choices(letters, k=dice.randint(2, 8)))
        if split == "test" or not kept_for_test(made):
            return made


def number(dice: Random) -> str:
    """A figure as it stands in print: a count, a price, a date, a time, a percentage, a code."""
    whole = dice.randint(0, dice.choice((9, 99, 999, 9999)))
    match dice.randrange(8):
        case 0 | 1:
            return str(whole)
        case 2:
            return f"${whole}.{dice.randint(0, 99):02}"
        case 3:
            return f"{dice.randint(1, 28):02}/{dice.randint(1, 12):02}/{dice.randint(1990, 2030)}"
        case 4:
            return f"{dice.randint(0, 23)}:{dice.randint(0, 59):02}"
        case 5:
            return f"{dice.randint(0, 100)}%"
        case 6:
            return f"{dice.choice(string.ascii_uppercase)}{dice.choice(string.ascii_uppercase)}-{whole}"
        case _:
            return f"{dice.choice(MONTHS)} {dice.randint(1, 28)}"


def token(split: Split, dice: Random, case: str = "lower") -> str:
    """One printed run without a space, mostly a word. `case`: "lower", "upper", "title" or "any"."""
    luck = dice.random()
    if luck < 0.12:
        return scramble(split, dice)
    if luck < 0.2:
        return number(dice).replace(" ", "")
    if luck < 0.22:
        return f"{word(split, dice)}@{word(split, dice)}.{dice.choice(('com', 'org', 'net', 'io'))}"
    return cased(word(split, dice), case, dice)


def cased(text: str, case: str, dice: Random) -> str:
    """The text in a case; "any" is drawn."""
    if case == "any":
        case = dice.choice(("lower", "lower", "upper", "title"))
    return text.upper() if case == "upper" else text.title() if case == "title" else text


def line(split: Split, dice: Random, count: int, case: str = "lower") -> str:
    """`count` runs on a line, with a little punctuation."""
    runs = [token(split, dice, case) for _ in range(count)]
    if count > 2 and dice.random() < 0.25:
        runs[dice.randrange(count - 1)] += ","
    if count > 1 and dice.random() < 0.2:
        runs[-1] += dice.choice(".!?:")
    if case == "lower" and dice.random() < 0.4:
        runs[0] = runs[0][:1].upper() + runs[0][1:]
    return " ".join(runs)


def label(split: Split, dice: Random, usual: tuple[str, ...]) -> str:
    """What is written on a widget: something usual, or one or two words."""
    if dice.random() < (0.6 if split == "train" else 0.4):
        return dice.choice(usual)
    text = " ".join(word(split, dice) for _ in range(dice.choice((1, 1, 2))))
    return text.capitalize() if dice.random() < 0.8 else text.title()
