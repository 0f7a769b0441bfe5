"""Questions about clips: what happens, when, where, in which order, how often, how fast."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any

from omma.synth.asking import Interviewer, on_grid, some
from omma.synth.places import place, place_said
from omma.synth.stories import Actor, Deed
from omma.synth.world import Drawing, Edges, Split, Thing, Turn

FASTER = 1.5  # how many times faster one must be to be called the faster one
LOOKS = 6  # moments at which a followed thing is located, at most
DEEDS = ("move", "appear", "disappear", "grow", "shrink", "bounce")
MOVING = ("move", "enter", "leave", "bounce")  # whatever does one of these moves


def clip_turns(
    drawings: Sequence[Drawing], actors: Sequence[Actor], fps: float, split: Split, dice: Random
) -> tuple[Turn, ...]:
    """What happens, one thing followed all the way, and three to six questions."""
    asks = _ClipQuestions(drawings, actors, fps, split, dice)
    wanted = dice.randint(3, 6)
    found = some(
        [
            (1.6, asks.when_during), (1.2, asks.when_seen), (1.4, asks.when_at), (1.2, asks.direction),
            (1.0, asks.find_at), (1.0, asks.first), (0.7, asks.last), (1.0, asks.order), (1.0, asks.before),
            (0.8, asks.count_at), (0.5, asks.count_clip), (0.8, asks.count_deeds), (0.9, asks.bounces),
            (2.0, asks.colour), (2.0, asks.faster), (1.0, asks.side), (0.9, asks.does),
        ],
        2 * wanted,
        dice,
    )  # fmt: skip
    once = {turn.task: turn for turn in reversed(found)}  # a clip holds little: each task is asked once
    chosen = [turn for turn in found if once[turn.task] is turn]
    return (asks.describe(), asks.track(), *chosen[:wanted])


class _ClipQuestions:
    def __init__(
        self, drawings: Sequence[Drawing], actors: Sequence[Actor], fps: float, split: Split, dice: Random
    ) -> None:
        self.drawings, self.actors, self.fps, self.dice = drawings, actors, fps, dice
        self.say = Interviewer(drawings[0], split, dice)
        self.size = self.say.size
        deeds = [(actor.deed, actor) for actor in actors if actor.deed is not None]
        self.deeds: list[tuple[Deed, Actor]] = sorted(deeds, key=lambda pair: (pair[0].start, pair[0].actor))

    # Times and places

    def _second(self, frame: int) -> float:
        return round(frame / self.fps, 2)

    def _time(self, frame: int) -> str:
        return f"{self._second(frame):g}"

    def _thing(self, actor: Actor, frame: int) -> Thing | None:
        """The actor as a thing of that frame; no two actors are of one kind."""
        item = actor.places[frame]
        if item is None:
            return None
        return next((t for t in self.drawings[frame].things if t.kind == item.cut.kind), None)

    def _box(self, actor: Actor, frame: int) -> Edges | None:
        thing = self._thing(actor, frame)
        return None if thing is None else thing.box

    def _clear(self, frame: int) -> bool:
        """Whether nothing is half in the picture at that frame."""
        width, height = self.size
        for actor in self.actors:
            item = actor.places[frame]
            if item is not None:
                x1, y1, x2, y2 = item.box
                if x1 < -1 or y1 < -1 or x2 > width + 1 or y2 > height + 1:
                    return False
        return True

    def _spans(self, task: str, spans: Sequence[tuple[int, int]], **fill: str) -> Turn:
        """A question answered by spans. Truth: [start, end] of each, in seconds of the clip."""
        seconds = [[self._second(start), self._second(stop)] for start, stop in spans]
        rows = [{"start": start, "end": stop} for start, stop in seconds]
        answer = json.dumps(rows, separators=(",", ":"))
        return Turn(self._asked(task, **fill), answer, task, {"spans": seconds})

    def _asked(self, task: str, **fill: str) -> str:
        return self.say.told(task, "", {}, **fill).question

    # Everything

    def describe(self) -> Turn:
        """What is there at first, and then every deed with its time."""
        there = [
            f"{item.name} {place_said(place(box, self.size))}"
            for actor in self.actors
            if (item := actor.places[0]) is not None and (box := self._box(actor, 0)) is not None
        ]
        said = [f"0 s: {', '.join(there) or 'nothing'}."]
        for deed, actor in self.deeds:
            told = deed.told(actor.name)
            if deed.start == deed.stop:
                said.append(f"{self._time(deed.start)} s: {told}.")
            else:
                said.append(f"{self._time(deed.start)} to {self._time(deed.stop)} s: {told}.")
        truth = [
            {"what": deed.told(actor.name), "span": [self._second(deed.start), self._second(deed.stop)]}
            for deed, actor in self.deeds
        ]
        return self.say.told("clip_describe", "\n".join(said), {"events": truth})

    def track(self) -> Turn:
        """One actor's boxes at up to six moments, evenly over the time in which it is there."""
        actor = max(self.actors, key=lambda actor: (actor.deed is not None, self.dice.random()))
        seen = actor.seen()
        count = min(LOOKS, len(seen))
        frames = sorted({seen[round(i * (len(seen) - 1) / max(1, count - 1))] for i in range(count)})
        rows, truth = list[dict[str, Any]](), list[dict[str, Any]]()
        for frame in frames:
            if (box := self._box(actor, frame)) is not None:
                grid = [on_grid(edge, self.size[i % 2]) for i, edge in enumerate(box)]
                rows.append({"time": self._second(frame), "bbox_2d": grid, "label": actor.name})
                edges = [round(edge, 1) for edge in box]
                truth.append({"time": self._second(frame), "box": edges, "label": actor.name})
        answer = json.dumps(rows, separators=(",", ":"))
        return Turn(self._asked("track", what=actor.name), answer, "track", {"track": truth})

    # When

    def when_during(self) -> Turn | None:
        """The span of a deed that takes time."""
        lasting = [(d, a) for d, a in self.deeds if d.stop > d.start and d.what != "bounces"]
        if not lasting:
            return None
        deed, actor = self.dice.choice(lasting)
        fill = {"event": deed.told(actor.name), "deed": _inverted(deed, actor.name)}
        return self._spans("when_during", [(deed.start, deed.stop)], **fill)

    def when_seen(self) -> Turn:
        """The span in which an actor is there; asked first of those that come or go."""
        coming = [actor for actor in self.actors if len(actor.seen()) < len(self.drawings)]
        actor = self.dice.choice(coming or list(self.actors))
        seen = actor.seen()
        return self._spans("when_seen", [(seen[0], seen[-1])], what=actor.name)

    def when_at(self) -> Turn | None:
        """The second of a deed that takes no time."""
        moments = [(d, a) for d, a in self.deeds if d.stop == d.start]
        if not moments:
            return None
        deed, actor = self.dice.choice(moments)
        second = self._second(deed.start)
        fill = {"event": deed.told(actor.name), "deed": _inverted(deed, actor.name)}
        truth = {"second": second, "within": round(1 / self.fps, 2)}
        return Turn(self._asked("when_at", **fill), f"{second:g} s", "when_at", truth)

    def first(self) -> Turn | None:
        """The deed that begins first, where there are several."""
        return self._end("first", 0)

    def last(self) -> Turn | None:
        """The deed that begins last."""
        return self._end("last", -1)

    def _end(self, task: str, which: int) -> Turn | None:
        if len(self.deeds) < 2 or len({deed.start for deed, _ in self.deeds}) < len(self.deeds):
            return None
        deed, actor = self.deeds[which]
        return self.say.word(task, deed.told(actor.name))

    def order(self) -> Turn | None:
        """All deeds in the order in which they begin."""
        if len(self.deeds) < 2 or len({deed.start for deed, _ in self.deeds}) < len(self.deeds):
            return None
        told = [deed.told(actor.name) for deed, actor in self.deeds]
        return Turn(self._asked("order"), "\n".join(told), "order", {"order": told})

    def before(self) -> Turn | None:
        """The earlier of two deeds."""
        if len(self.deeds) < 2:
            return None
        pair = self.dice.sample(self.deeds, 2)
        if pair[0][0].start == pair[1][0].start:
            return None
        event, other = (deed.told(actor.name) for deed, actor in pair)
        answer = event if pair[0][0].start < pair[1][0].start else other
        return self.say.word("before", answer, event=event, other=other)

    # Where

    def find_at(self) -> Turn:
        """An actor's box at a moment; none when it is not there."""
        actor = self.dice.choice(list(self.actors))
        frames = [f for f in range(len(self.drawings)) if self._clear(f)]
        frame = self.dice.choice(frames or [actor.seen()[0]])
        box = self._box(actor, frame)
        found = [] if box is None else [(box, actor.name)]
        return self.say.boxes("find_at", found, what=actor.name, time=self._time(frame))

    def direction(self) -> Turn | None:
        """Which way an actor moves."""
        moving = [(d, a) for d, a in self.deeds if d.what == "moves"]
        if not moving:
            return None
        deed, actor = self.dice.choice(moving)
        return self.say.word("direction_of", deed.to, what=actor.name)

    def side(self) -> Turn | None:
        """On which side an actor comes in or goes out."""
        passing = [(d, a) for d, a in self.deeds if d.what in ("enters", "leaves")]
        if not passing:
            return None
        deed, actor = self.dice.choice(passing)
        return self.say.word(
            "side_enter" if deed.what == "enters" else "side_leave", deed.to, what=actor.name
        )

    # How many, how fast, which colour

    def count_at(self) -> Turn | None:
        """How many things are there at a moment at which nothing is half in the picture."""
        frames = [f for f in range(len(self.drawings)) if self._clear(f)]
        if not frames:
            return None
        frame = self.dice.choice(frames)
        return self.say.number("count_at", len(self.drawings[frame].things), time=self._time(frame))

    def count_clip(self) -> Turn:
        """How many things there are in the whole clip."""
        return self.say.number("count_clip", len(self.actors))

    def count_deeds(self) -> Turn:
        """How many things do something; seldom what none of them does."""
        done = [deed.what.removesuffix("s") for deed, _ in self.deeds]
        there = [deed for deed in DEEDS if deed in done]
        asked = self.dice.choice(there if there and self.dice.random() < 0.8 else DEEDS)
        meant = MOVING if asked == "move" else (asked,)
        return self.say.number("count_deeds", sum(deed in meant for deed in done), deed=asked)

    def bounces(self) -> Turn | None:
        """How often an actor is thrown back."""
        thrown = [(d, a) for d, a in self.deeds if d.what == "bounces"]
        if not thrown:
            return None
        deed, actor = self.dice.choice(thrown)
        return self.say.number("bounces", int(deed.to), what=actor.name)

    def colour(self) -> Turn | None:
        """The colour of what changes it, before or after."""
        turning = [(d, a) for d, a in self.deeds if d.what == "turns"]
        if not turning:
            return None
        deed, actor = self.dice.choice(turning)
        item = actor.places[0]
        if item is not None and item.cut.colour and self.dice.random() < 0.4:
            return self.say.word("colour_before", item.cut.colour, what=actor.name)
        return self.say.word("colour_after", deed.to, what=actor.name)

    def faster(self) -> Turn | None:
        """The faster of two that move, where it is so clearly."""
        moving = [actor for actor in self.actors if actor.speed]
        if len(moving) < 2:
            return None
        a, b = self.dice.sample(moving, 2)
        if max(a.speed, b.speed) < FASTER * min(a.speed, b.speed):
            return None
        return self.say.word("faster", a.name if a.speed > b.speed else b.name, a=a.name, b=b.name)

    def does(self) -> Turn | None:
        """Whether something happens, yes as often as no: what does not is another deed of the same actor."""
        if not self.deeds:
            return None
        deed, actor = self.dice.choice(self.deeds)
        if self.dice.random() < 0.5:
            return self.say.yes("does", True, event=deed.told(actor.name))
        others = {
            "moves": (
                "moves",
                {"left": "right", "right": "left", "up": "down", "down": "up"}.get(deed.to, ""),
            ),
            "appears": ("disappears", ""),
            "disappears": ("appears", ""),
            "grows": ("shrinks", ""),
            "shrinks": ("grows", ""),
        }
        what, to = others.get(deed.what, ("disappears", ""))
        if deed.what == "leaves":
            what = "grows"
        return self.say.yes("does", False, event=deed._replace(what=what, to=to).told(actor.name))


def _inverted(deed: Deed, name: str) -> str:
    """The deed as it follows a question word: "does the red circle move right"."""
    subject, told = f"the {name}", deed.told(name)
    verb, _, rest = told.removeprefix(f"{subject} ").partition(" ")
    return f"does {subject} {verb.removesuffix('s')}{f' {rest}' if rest else ''}"
