"""Questions about screens: what the widgets are, what they say, how they are set, and where to click."""

from __future__ import annotations

from collections import Counter
from random import Random

from omma.synth.asking import Interviewer, some
from omma.synth.vocabulary import LABELS, label
from omma.synth.wordings import plural
from omma.synth.world import Drawing, Split, Thing, Turn

SETTABLE = {"checkbox": "checked", "radio button": "selected", "toggle": "on"}
COUNTED = ("button", "checkbox", "text field", "radio button", "toggle", "link", "tab", "list item", "icon")


def screen_turns(drawing: Drawing, split: Split, dice: Random) -> tuple[Turn, ...]:
    """All widgets told and located, all text, and three to six questions."""
    asks = ScreenQuestions(drawing, split, dice)
    dense = [asks.describe(), asks.find_all() if dice.random() < 0.6 else asks.read_boxes()]
    chosen = some(
        [
            (3.0, asks.click), (1.2, asks.kind), (1.6, asks.state), (0.8, asks.listed), (1.5, asks.find),
            (0.8, asks.content), (0.6, asks.chosen), (0.7, asks.count), (0.7, asks.heading),
            (0.7, asks.exists), (0.5, asks.colour), (0.6, asks.read),
        ],
        dice.randint(3, 6),
        dice,
    )  # fmt: skip
    return (*dense, *chosen)


def told(thing: Thing) -> str:
    """A widget in words: checked checkbox "Wi-Fi"."""
    name = (
        f"{thing.state} {thing.kind}" if thing.kind in SETTABLE or thing.state == "selected" else thing.kind
    )
    if thing.kind in ("text field", "dropdown") and thing.state:
        return f'{name} "{thing.text}" with "{thing.state}"'
    return f'{name} "{thing.text}"' if thing.text else name


class ScreenQuestions:
    def __init__(self, drawing: Drawing, split: Split, dice: Random) -> None:
        self.things, self.split, self.dice = drawing.things, split, dice
        self.say = Interviewer(drawing, split, dice)
        self.labels = Counter(thing.text for thing in self.things if thing.text)
        self.kinds = Counter(thing.kind for thing in self.things)

    def _widgets(self) -> list[Thing]:
        """What can be clicked and has a label."""
        return [t for t in self.things if t.text and t.kind not in ("text", "heading", "title bar")]

    def describe(self) -> Turn:
        """Every widget with its label and state, from top to bottom."""
        said = " ".join(f"{told(t)[:1].upper()}{told(t)[1:]}." for t in self.things)
        truth = [{"kind": t.kind, "label": t.text, "state": t.state} for t in self.things]
        return self.say.told("describe", said, {"things": truth})

    def find_all(self) -> Turn:
        """Every widget's box."""
        return self.say.boxes("find_all", [(t.box, f"{t.kind} {t.text}".strip()) for t in self.things])

    def _printed(self) -> list[tuple[Thing, str]]:
        return [(t, " ".join(found.text for found in t.words)) for t in self.things if t.words]

    def read(self) -> Turn:
        """All the text, a line for each widget."""
        return self.say.text("read", [text for _, text in self._printed()])

    def read_boxes(self) -> Turn:
        """Every piece of text with its box."""
        lines = []
        for thing, text in self._printed():
            edges = [found.box for found in thing.words]
            box = (edges[0][0], edges[0][1], edges[-1][2], edges[0][3])
            lines.append((box, text))
        return self.say.boxes("read_boxes", lines, "text_content")

    def click(self) -> Turn | None:
        """The middle of a widget."""
        if not (widgets := self._widgets()):
            return None
        thing = self.dice.choice(widgets)
        if self.labels[thing.text] > 1 and thing.kind not in ("text field", "dropdown"):
            return None
        return self.say.point("click", thing.box, thing.text, label=thing.text, kind=thing.kind)

    def kind(self) -> Turn | None:
        """What sort of widget carries a label."""
        alone = [t for t in self._widgets() if self.labels[t.text] == 1]
        if not alone:
            return None
        thing = self.dice.choice(alone)
        return self.say.word("widget_kind", thing.kind, label=thing.text)

    def state(self) -> Turn | None:
        """Whether a widget is set; asked of a set one as often as of another, where there are both."""
        if not (settable := [t for t in self.things if t.kind in SETTABLE]):
            return None
        wish = self.dice.random() < 0.5
        fitting = [t for t in settable if (t.state in ("checked", "on")) == wish]
        if not fitting:
            return None
        thing = self.dice.choice(fitting)
        return self.say.yes(
            "widget_state", wish, label=thing.text, kind=thing.kind, state=SETTABLE[thing.kind]
        )

    def listed(self) -> Turn | None:
        """The labels of all widgets of a kind."""
        kinds = [kind for kind in COUNTED if self.kinds[kind]]
        if not kinds:
            return None
        kind = self.dice.choice(kinds)
        return self.say.text(
            "widget_list", [t.text for t in self.things if t.kind == kind], plural=plural(kind)
        )

    def find(self) -> Turn:
        """Boxes of a kind of widget, or of one widget by its label."""
        widgets = self._widgets()
        if widgets and self.dice.random() < 0.5:
            thing = self.dice.choice(widgets)
            what = self.dice.choice((f'"{thing.text}" {thing.kind}', f"{thing.text} {thing.kind}"))
            return self.say.boxes("find", [(thing.box, thing.text)], what=what)
        there = [kind for kind in COUNTED if self.kinds[kind]]
        kind = self.dice.choice(there if there and self.dice.random() < 0.85 else COUNTED)
        return self.say.boxes("find", [(t.box, kind) for t in self.things if t.kind == kind], what=kind)

    def content(self) -> Turn | None:
        """What stands in a field."""
        fields = [t for t in self.things if t.kind in ("text field", "dropdown") and t.state]
        if not fields:
            return None
        thing = self.dice.choice(fields)
        return self.say.text("field_content", [thing.state], label=thing.text, kind=thing.kind)

    def chosen(self) -> Turn | None:
        """The one radio button that is on."""
        radios = [t for t in self.things if t.kind == "radio button"]
        on = [t for t in radios if t.state == "checked"]
        if len(radios) < 2 or len(on) != 1:
            return None
        return self.say.text("chosen", [on[0].text])

    def count(self) -> Turn:
        """How many widgets of a kind there are."""
        there = [kind for kind in COUNTED if self.kinds[kind]]
        kind = self.dice.choice(there if there and self.dice.random() < 0.85 else COUNTED)
        return self.say.number("count", self.kinds[kind], plural=plural(kind))

    def heading(self) -> Turn | None:
        """What the heading, the title bar, or the only widget of a kind says."""
        alone = [
            t
            for t in self.things
            if self.kinds[t.kind] == 1 and t.kind in ("heading", "title bar", "link", "button")
        ]
        if not alone:
            return None
        thing = self.dice.choice(alone)
        return self.say.text("read_heading", [thing.text], what=thing.kind)

    def exists(self) -> Turn | None:
        """Whether there is a button with a label, yes as often as no."""
        buttons = [t.text for t in self.things if t.kind == "button"]
        if not buttons:
            return None
        if self.dice.random() < 0.5:
            return self.say.yes("exists", True, what=f'"{self.dice.choice(buttons)}" button')
        other = label(self.split, self.dice, LABELS)
        while other.lower() in {text.lower() for text in self.labels}:
            other = label(self.split, self.dice, LABELS)
        return self.say.yes("exists", False, what=f'"{other}" button')

    def colour(self) -> Turn | None:
        """The colour of a button."""
        buttons = [t for t in self.things if t.kind == "button" and t.colour]
        if not buttons:
            return None
        thing = self.dice.choice(buttons)
        return self.say.word("colour", str(thing.colour), what=f'"{thing.text}" button')
