"""Questions about applications: what to click, what to type and where, as points and as calls of a tool."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from omma.synth.apps import Interface
from omma.synth.ask_screens import SETTABLE, ScreenQuestions
from omma.synth.asking import some
from omma.synth.calls import Deed, calls_text, click, end, press, scroll, write
from omma.synth.documents.prose import clock, code, date, mail, person
from omma.synth.documents.sheet import Document
from omma.synth.vocabulary import LABELS, label, token
from omma.synth.wordings import phrase
from omma.synth.world import Drawing, Split, Thing, Turn

PUSHED = ("button", "link", "tab", "menu item", "list item", "icon")
WHEELS = (1, 2, 3, 5, 10)  # how far a wheel is turned, in steps


def app_turns(drawing: Drawing, split: Split, dice: Random) -> tuple[Turn, ...]:
    """All that can be used now with boxes, and four to eight questions, most of them answered by calls."""
    assert isinstance(drawing, Document)
    assert isinstance(drawing.content, Interface)
    asks = _AppQuestions(drawing, drawing.content, split, dice)
    chosen = some(
        [
            (2.5, asks.use_click), (2.0, asks.use_type), (1.6, asks.use_set), (0.8, asks.use_open),
            (0.7, asks.use_menu), (0.8, asks.use_keys), (0.7, asks.use_scroll), (0.9, asks.use_absent),
            (1.6, asks.click), (1.3, asks.type_target), (0.9, asks.enabled), (0.8, asks.focused),
            (0.7, asks.selected), (0.8, asks.content), (0.8, asks.kind), (0.9, asks.state),
        ],
        dice.randint(4, 8),
        dice,
    )  # fmt: skip
    return tuple(turn for turn in (asks.clickable(), *chosen) if turn is not None)


class _AppQuestions(ScreenQuestions):
    """Of what lies behind a dialog or under an open menu nobody asks."""

    def __init__(self, drawing: Drawing, state: Interface, split: Split, dice: Random) -> None:
        super().__init__(drawing, split, dice)
        every = drawing.things
        self.numbers = sorted(state.active)
        self.things = tuple(every[number] for number in self.numbers)
        self.labels = Counter(thing.text for thing in every if thing.text and thing.kind != "text")
        self.kinds = Counter(thing.kind for thing in self.things)
        self.off = {id(every[number]) for number in state.disabled}
        self.unwritten = {id(every[number]) for number in state.unwritten}
        self.focus = None if state.focused is None else every[state.focused]
        self.keys = {id(every[number]): keys for number, keys in state.keys}
        self.scrolls = None if state.scrolls is None else every[state.scrolls]

    # What can be used

    def _widgets(self) -> list[Thing]:
        """What can be used now and can be told from all else by its label."""
        still = ("text", "heading", "title bar", "scroll bar", "card", "dialog")
        return [
            t for t in self.things
            if t.text and t.kind not in still and id(t) not in self.off and self.labels[t.text] == 1
        ]  # fmt: skip

    def _fields(self) -> list[Thing]:
        """Text fields, each of a name of its own; one for searching is named by what it is for."""
        return [t for t in self._widgets() if t.kind == "text field"]

    def clickable(self) -> Turn | None:
        """All that can be used now, with boxes."""
        still = ("text", "heading", "title bar", "card", "dialog", "progress bar")
        used = [t for t in self.things if t.kind not in still and id(t) not in self.off]
        return (
            self.say.boxes("clickable", [(t.box, f"{t.kind} {t.text}".strip()) for t in used])
            if used
            else None
        )

    def kind(self) -> Turn | None:
        """What sort of widget bears a label that is written on the screen."""
        alone = [t for t in self._widgets() if id(t) not in self.unwritten and t.text != "search"]
        if not alone:
            return None
        thing = self.dice.choice(alone)
        return self.say.word("widget_kind", thing.kind, label=thing.text)

    def content(self) -> Turn | None:
        """What stands in a field that is told by its name."""
        filled = [t for t in self._widgets() if t.kind in ("text field", "dropdown") and t.state]
        if not filled:
            return None
        thing = self.dice.choice(filled)
        return self.say.text("field_content", [thing.state], label=thing.text, kind=thing.kind)

    def click(self) -> Turn | None:
        """The middle of what can be clicked."""
        if not (pushed := [t for t in self._widgets() if t.kind not in ("slider", "progress bar")]):
            return None
        thing = self.dice.choice(pushed)
        return self.say.point("click", thing.box, thing.text, label=thing.text, kind=thing.kind)

    def type_target(self) -> Turn | None:
        """The middle of the field into which something is to be typed."""
        if not (fields := self._fields()):
            return None
        thing = self.dice.choice(fields)
        text = self._written(thing)
        turn = self.say.point("type_target", thing.box, thing.text, label=thing.text, text=text)
        return replace(turn, task="type_target")

    # States

    def enabled(self) -> Turn | None:
        """Whether a button or an item can be used, yes as often as no where there are both."""
        pushed = [t for t in self.things if t.kind in ("button", "menu item") and self.labels[t.text] == 1]
        pushed = [t for t in pushed if id(t) not in self.unwritten]
        wish = self.dice.random() < 0.5
        fitting = [t for t in pushed if (id(t) not in self.off) == wish]
        if not fitting:
            return None
        thing = self.dice.choice(fitting)
        return self.say.yes("widget_enabled", wish, label=thing.text, kind=thing.kind)

    def focused(self) -> Turn | None:
        """The field that is typed into, or none."""
        if not self._fields() and self.focus is None:
            return None
        name = "none" if self.focus is None else self.focus.text
        return self.say.word("focused_field", name)

    def selected(self) -> Turn | None:
        """The entry of a list that is chosen, where there is one list."""
        chosen = [t for t in self.things if t.kind == "list item" and t.state == "selected"]
        return self.say.text("selected_item", [chosen[0].text]) if len(chosen) == 1 else None

    # Calls

    def _calls(self, wording: str, deeds: Sequence[Deed], /, **fill: str) -> Turn:
        """A question answered by calls of the tool. Truth: each action, with boxes for places."""
        question = self.say.told(wording, "", {}, **fill).question
        question += " " + phrase("hint: computer_use", self.split, self.dice)
        truth = {"calls": [deed.truth for deed in deeds]}
        return Turn(question, calls_text(deeds, self.say.size), wording, truth)

    def use_click(self) -> Turn | None:
        """A click on what is pushed."""
        if not (pushed := [t for t in self._widgets() if t.kind in PUSHED]):
            return None
        thing = self.dice.choice(pushed)
        return self._calls("use_click", [click(thing.box)], label=thing.text, kind=thing.kind)

    def use_set(self) -> Turn | None:
        """A box, a switch or a choice as it is to be: a click, or nothing where it is so already."""
        if not (settable := [t for t in self._widgets() if t.kind in SETTABLE]):
            return None
        thing = self.dice.choice(settable)
        on = thing.state in ("checked", "on")
        wish = thing.kind == "radio button" or self.dice.random() < (0.35 if on else 0.75)
        if thing.kind == "radio button" and self.kinds["radio button"] < 2 and on:
            return None
        deeds = [end("success")] if wish == on else [click(thing.box)]
        wording = "use_choose" if thing.kind == "radio button" else "use_on" if wish else "use_off"
        return self._calls(wording, deeds, label=thing.text, kind=thing.kind)

    def _written(self, thing: Thing) -> str:
        """Something that goes into a field of this name."""
        dice, split = self.dice, self.split
        name = thing.text.lower()
        if "mail" in name:
            return mail(split, dice)
        if "date" in name:
            return date(dice)
        if "name" in name:
            return person(split, dice).split()[0]
        if thing.text == "Address bar":
            return f"{token(split, dice).strip('.,!?:')}.org"
        return dice.choice((lambda: code(dice), lambda: clock(dice), lambda: token(split, dice)))()

    def use_type(self) -> Turn | None:
        """A text into a field: clicked first, unless it has the focus; what stands there goes."""
        if not (fields := self._fields()):
            return None
        thing = self.dice.choice(fields)
        text = self._written(thing)
        if thing.state:
            deeds = [click(thing.box, "triple_click"), write(text)]
            return self._calls("use_replace", deeds, label=thing.text, text=text)
        deeds = [write(text)] if thing is self.focus else [click(thing.box), write(text)]
        return self._calls("use_type", deeds, label=thing.text, text=text)

    def use_open(self) -> Turn | None:
        """A double click on a file."""
        if (thing := self._file()) is None:
            return None
        return self._calls("use_open", [click(thing.box, "double_click")], label=thing.text)

    def use_menu(self) -> Turn | None:
        """A click of the right button on a file."""
        if (thing := self._file()) is None:
            return None
        return self._calls("use_menu", [click(thing.box, "right_click")], label=thing.text)

    def _file(self) -> Thing | None:
        files = [t for t in self._widgets() if t.kind == "list item" and "." in t.text]
        return self.dice.choice(files) if files else None

    def use_keys(self) -> Turn | None:
        """The keys that are printed beside an item."""
        keyed = [t for t in self.things if id(t) in self.keys and id(t) not in self.off]
        if not keyed:
            return None
        thing = self.dice.choice(keyed)
        return self._calls("use_keys", [press(*self.keys[id(thing)])], label=thing.text)

    def use_scroll(self) -> Turn | None:
        """The wheel, down or up by so many steps, where there is a scroll bar."""
        if self.scrolls is None:
            return None
        down = self.scrolls.state == "0%" or self.dice.random() < 0.6
        steps = self.dice.choice(WHEELS)
        fill = {"way": "down" if down else "up", "steps": f"{steps} step{'s' if steps > 1 else ''}"}
        return self._calls("use_scroll", [scroll(-steps if down else steps)], **fill)

    def use_absent(self) -> Turn | None:
        """What may not be there, or cannot be pushed: then that is said, and nothing is clicked."""
        there = [t for t in self._widgets() if t.kind in PUSHED]
        if there and self.dice.random() < 0.5:
            thing = self.dice.choice(there)
            return self._calls("use_absent", [click(thing.box)], label=thing.text)
        off = [t.text for t in self.things if id(t) in self.off and self.labels[t.text] == 1]
        if off and self.dice.random() < 0.7:
            name = self.dice.choice(off)
        else:
            printed = " ".join(self.labels).lower()
            name = label(self.split, self.dice, LABELS)
            if name.lower() in printed or any(word in printed for word in name.lower().split()):
                return None
        return self._calls("use_absent", [end("failure")], label=name)
