"""Sets blocks of text one after the other into the columns of a page, as far as there is room."""

from __future__ import annotations

from random import Random

from omma.synth.documents.blocks import Block
from omma.synth.documents.figures import figure
from omma.synth.documents.lexicon import pick
from omma.synth.documents.prose import company, date, person, phrase, program, sentences
from omma.synth.documents.sheet import Sheet
from omma.synth.documents.type import Type
from omma.synth.world import Split

BODY = ((14, 22), (12, 18), (11, 15), (10, 15))  # pixels of the body's type, by level
MOST = (3, 7, 14, 60)  # blocks on a page, by level


class Compositor:
    """One page under construction: `blocks` in reading order, `running` and `number` beside them."""

    def __init__(self, sheet: Sheet, level: int, dice: Random, split: Split) -> None:
        self.sheet, self.level, self.dice, self.split = sheet, level, dice, split
        self.look = sheet.look
        low, high = BODY[level]
        side = min(sheet.width, sheet.height)
        self.body = self.look.type(min(dice.randint(low, high), max(8, side / 8)))
        self.leading = self.body.size * dice.uniform(1.2, 1.55)
        self.margin = max(5.0, sheet.width * dice.uniform(0.04, 0.11))
        self.bottom = sheet.height - self.margin
        self.justified = level > 1 and dice.random() < (0.6 if self.look.name == "print" else 0.15)
        self.indent = dice.choice((0.0, 1.5)) * self.body.size if self.look.name == "print" else 0.0
        self.apart = 0.0 if self.indent else dice.uniform(0.35, 0.8) * self.leading
        self.blocks: list[Block] = []
        self.running: list[int] = []
        self.number: int | None = None
        self.columns = [(self.margin, sheet.width - self.margin)]
        self.column, self.y = 0, self.margin
        self.top = self.y  # of the columns
        self.figures = self.headings = 0
        self.heads = self.look.type(self.body.size * dice.uniform(1.0, 1.5), bold=True, head=True)

    # Where things go

    @property
    def left(self) -> float:
        """The left end of the column that is being filled."""
        return self.columns[self.column][0]

    @property
    def measure(self) -> float:
        """How wide that column is, in pixels."""
        left, right = self.columns[self.column]
        return right - left

    def room(self, height: float) -> bool:
        """Whether so much fits here, or at the next column's head, where setting then goes on."""
        if self.y + height <= self.bottom:
            return True
        if self.column + 1 == len(self.columns):
            return False
        self.column, self.y = self.column + 1, self.top
        return self.y + height <= self.bottom

    def set(
        self,
        kind: str,
        text: str,
        type_: Type,
        *,
        hang: float = 0.0,
        indent: float = 0.0,
        centred: bool = False,
        bullet: str = "",
    ) -> tuple[str, list[int]]:
        """Set a text from here on; gives as much of it as found room, and the things that print it.

        `hang` is the room left of every line, `indent` of the first alone.
        """
        pitch = type_.size * min(self.leading / self.body.size, 1.22 if type_.size > self.body.size else 2)
        lines = type_.wrap(text, self.measure - hang, indent)
        numbers: list[int] = []
        paint = self.look.accent if kind in ("title", "heading") else None
        for number, line in enumerate(lines):
            if not self.room(type_.height):
                break
            x = self.left + hang + (0 if number else indent)
            if bullet and number == 0:
                self._bullet(bullet, x, type_)
            if centred:
                x += (self.measure - type_.length(line)) / 2
            last = number + 1 == len(lines)
            spread = 0.0 if last else self._spread(kind, line, type_, self.left + self.measure - x)
            numbers.append(self.sheet.put(line, type_, x, self.y, paint=paint, kind=kind, spread=spread))
            self.y += pitch
        return " ".join(lines[: len(numbers)]), numbers

    def _spread(self, kind: str, line: str, type_: Type, width: float) -> float:
        """By how much every space grows, so that a line fills its column."""
        if not self.justified or kind not in ("text", "list item") or " " not in line:
            return 0.0
        spread = (width - type_.length(line)) / line.count(" ")
        return spread if spread < 0.7 * type_.size else 0.0

    def add(self, kind: str, told: tuple[str, list[int]], marker: str = "", depth: int = 0) -> bool:
        """Take in a block that was set; False where not one line of it found room."""
        text, numbers = told
        if not numbers:
            return False
        self.blocks.append(Block(kind, text, tuple(numbers), marker, depth))
        self.y += self.apart
        return True

    # The page as a whole

    def fill(self) -> None:
        """Set all of it."""
        dice = self.dice
        if self.level > 1 and self.sheet.height > 200:
            self._head()
        if self.level and dice.random() < 0.55 and self.sheet.height > 120:
            self.title()
        self._columns()
        blocks = (
            (self.paragraph, 5), (self.heading, 2.5), (self.items, 2), (self.quote, 0.5 * (self.level > 1)),
            (self.code, 0.4 * (self.level > 1)), (self.picture, 0.8 * (self.level > 1)),
        )  # fmt: skip
        for _ in range(MOST[self.level]):
            block = dice.choices([b for b, _ in blocks], [w for _, w in blocks])[0]
            if not block() or (self.level < 2 and dice.random() < 0.12):
                break
        if self.blocks and self.blocks[-1].kind == "heading" and self.level:
            self.paragraph()
        if not self.blocks:
            self._only_line()
        self._foot()

    def _columns(self) -> None:
        """Two or three columns where the page is wide enough for them."""
        width = self.measure
        most = 1 if self.level < 2 else max(1, min(3, int(width / self.body.size / 13)))
        count = self.dice.choices((1, 2, 3)[:most], (5, 4, 2)[:most])[0]
        gap = self.body.size * self.dice.uniform(1.3, 2.2)
        wide = (width - gap * (count - 1)) / count
        lefts = [self.margin + number * (wide + gap) for number in range(count)]
        self.columns = [(left, left + wide) for left in lefts]
        self.top = self.y
        if count > 1 and self.dice.random() < 0.25:
            for left in lefts[1:]:
                self.sheet.rule(left - gap / 2, self.top, left - gap / 2, self.bottom)

    def _head(self) -> None:
        """Room for the foot, and often a line that runs along the top of every page."""
        self.bottom -= 1.6 * self.leading
        if self.dice.random() < 0.4:
            self._run(self.y, self.dice.choice((0.0, 0.5, 1.0)), "header", phrase(self.split, self.dice, 3))
            self.y += 1.1 * self.leading
            if self.dice.random() < 0.5:
                self.sheet.rule(self.margin, self.y - 3, self.sheet.width - self.margin, self.y - 3)
            self.y += 0.4 * self.leading

    def _foot(self) -> None:
        """A page number, a line that runs along the bottom, or both."""
        if self.level < 2 or self.sheet.height <= 200:
            return
        dice, top = self.dice, self.bottom + 0.7 * self.leading
        place = dice.choice((0.0, 0.5, 0.5, 1.0))
        if dice.random() < 0.75:
            number, pages = dice.randint(1, 400), dice.randint(0, 90)
            form = dice.choice(
                ("{0}", "{0}", "- {0} -", "Page {0}", "{0} / {1}", "Page {0} of {1}", "p. {0}")
            )
            self.number = self._run(top, place, "page number", form.format(number, number + pages))
        if place != 0.5 and dice.random() < 0.4:
            self._run(top, 1 - place, "footer", phrase(self.split, dice, 2))

    def _run(self, top: float, place: float, kind: str, text: str) -> int | None:
        """Print what runs on every page: at the left (place 0), in the middle or at the right (1)."""
        type_ = self.look.type(self.body.size * 0.85)
        lines = type_.wrap(text, (self.sheet.width - 2 * self.margin) * (0.9 if place == 0.5 else 0.5))
        if not lines or (kind == "page number" and lines[0] != text):
            return None
        text = lines[0]
        x = self.margin + place * (self.sheet.width - 2 * self.margin)
        number = self.sheet.put(text, type_, x, top, paint=self.look.muted, kind=kind, align=place)
        self.running.append(number)
        return number

    def _only_line(self) -> None:
        """One short word, for the smallest of pages."""
        type_ = self.look.type(8)
        self.bottom, self.y = float(self.sheet.height), 2.0
        for text in ("Notes", "No", "I"):
            if self.add("text", self.set("text", text, type_)):
                return

    # Its blocks; each gives False where the page is full

    def title(self) -> bool:
        """The page's title, sometimes with its author and day below, or a rule."""
        dice, centred = self.dice, self.dice.random() < 0.4
        size = self.body.size * dice.uniform(1.4, 2.0 if self.level < 2 else 2.5)
        type_ = self.look.type(size, bold=dice.random() < 0.7, head=True)
        text = phrase(self.split, dice, dice.randint(1, 2 if self.level < 2 else 6))
        text = text.title() if dice.random() < 0.3 else text
        if not self.add("title", self.set("title", text, type_, centred=centred), depth=1):
            return False
        if self.level > 1 and dice.random() < 0.3:
            name = dice.choice((person, company))(self.split, dice)
            by = self.look.type(self.body.size, italic=dice.random() < 0.5)
            self.add("text", self.set("text", f"{name}, {date(dice)}", by, centred=centred))
        if dice.random() < 0.25 and self.y + 8 < self.bottom:
            self.sheet.rule(self.left, self.y, self.left + self.measure, self.y, width=dice.choice((1, 2)))
            self.y += 0.6 * self.leading
        self.y += 0.2 * self.leading
        return True

    def heading(self) -> bool:
        """A heading, which stands only where at least a line more fits below it."""
        if self.blocks and self.blocks[-1].kind == "heading":
            return True
        dice, type_ = self.dice, self.heads
        known = pick("heading", self.split, dice) if dice.random() < 0.5 else ""
        self.headings += 1
        text = known or phrase(self.split, dice, dice.randint(1, 3))
        text = f"{self.headings}. {text}" if self.indent and dice.random() < 0.8 else text
        self.y += 0.35 * self.leading if self.blocks and self.y > self.top else 0.0
        if not self.room(1.6 * type_.height + 1.5 * self.leading) and self.level:
            return False
        return self.add("heading", self.set("heading", text, type_), depth=2)

    def paragraph(self) -> bool:
        """Running text of one to eight lines."""
        lines = self.dice.randint(1, (2, 4, 6, 8)[self.level])
        letters = int(lines * self.measure / (0.52 * self.body.size) * self.dice.uniform(0.6, 1.0))
        text = sentences(self.split, self.dice, letters)
        return self.add("text", self.set("text", text, self.body, indent=self.indent))

    def items(self) -> bool:
        """A list of two to six items, with dots, dashes or numbers."""
        dice, began = self.dice, len(self.blocks)
        mark = dice.choice(("dot", "dot", "square", "-", "*", "1.", "1)"))
        drawn = mark if mark in ("dot", "square") else ""
        for number in range(1, dice.randint(2, 3 if self.level < 2 else 6) + 1):
            text = phrase(self.split, dice, dice.randint(1, 3 if self.level < 2 else 12))
            printed = "" if drawn else f"{number}{mark[1]} " if mark[0] == "1" else f"{mark} "
            hang = 1.2 * self.body.size if drawn else 0.0
            told, lines = self.set("list item", printed + text, self.body, hang=hang, bullet=drawn)
            self.y -= 0.6 * self.apart
            kept = told.removeprefix(printed)
            if not kept or not self.add("list item", (kept, lines), f"{number}." if mark[0] == "1" else "-"):
                break
        self.y += 0.6 * self.apart
        return len(self.blocks) > began

    def _bullet(self, mark: str, x: float, type_: Type) -> None:
        """A dot or a square before an item."""
        side = max(2, round(type_.size * 0.28))
        left, middle = round(x - 0.75 * type_.size), round(self.y - type_.top * 0.62)
        box = (left, middle - side // 2, left + side, middle - side // 2 + side)
        if mark == "dot" and side > 3:
            self.sheet.canvas.block(box, side / 2, self.look.text, (0, 255, -1))
        else:
            self.sheet.fill(box, self.look.text)

    def quote(self) -> bool:
        """A passage of its own, indented behind a bar."""
        if not self.room(1.5 * self.leading):
            return False
        at, column, hang = self.y, self.column, 1.2 * self.body.size
        type_ = self.look.type(self.body.size, italic=True)
        text = sentences(self.split, self.dice, self.dice.randint(20, 120))
        added = self.add("quote", self.set("quote", text, type_, hang=hang))
        if added and self.column == column:
            end = self.sheet.things[self.blocks[-1].lines[-1]].box[3]
            left = self.left + 0.3 * self.body.size
            self.sheet.rule(left, at, left, end, self.look.accent, 2)
        return added

    def code(self) -> bool:
        """A few lines of a program in typewriter type, on a plate."""
        type_ = self.look.type(self.body.size * 0.9, mono=True)
        told = program(self.split, self.dice)
        lines = [line for line in told if type_.length(line) <= self.measure - 12]
        pitch = 1.35 * type_.size
        if not lines or not self.room(len(lines) * pitch + 12):
            return True
        plate = (self.left, self.y, self.left + self.measure, self.y + len(lines) * pitch + 8)
        self.sheet.fill(plate, self.look.stripe)
        numbers = []
        for number, line in enumerate(lines):
            top = self.y + 6 + number * pitch
            numbers.append(self.sheet.put(line, type_, self.left + 6, top, kind="code"))
        self.y = plate[3] + 0.5 * self.leading
        return self.add("code", ("\n".join(lines), numbers))

    def picture(self) -> bool:
        """A framed drawing with its caption below."""
        wide = min(self.measure, self.dice.uniform(90, 260))
        high = wide * self.dice.uniform(0.45, 0.75)
        if not self.room(high + 2.5 * self.leading):
            return True
        self.figures += 1
        x = self.left + (self.measure - wide) * self.dice.choice((0.0, 0.5))
        figure(self.sheet, (x, self.y, x + wide, self.y + high), self.dice)
        self.y += high + 0.5 * self.leading
        label = pick("caption", self.split, self.dice).format(number=self.figures)
        text = f"{label} {phrase(self.split, self.dice, self.dice.randint(2, 7))}"
        type_ = self.look.type(self.body.size * 0.9, italic=self.dice.random() < 0.5)
        return self.add("caption", self.set("caption", text, type_))
