"""The page book is right after everything that can be asked of it, and what is shared is never written to."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from omma.engine.pages import Copy, Pages


class Paper:
    """What lies in the pool's pages: the book's copies are made, rows write what they are given."""

    def __init__(self, book: Pages) -> None:
        self.book, self.lies = book, dict[int, str]()
        self.rows: dict[int, list[str]] = {}

    def copied(self, copies: list[Copy]) -> None:
        made = {copy.target: self.lies.get(copy.source, "nothing yet") for copy in copies}
        assert not made.keys() & {copy.source for copy in copies}
        self.lies.update(made)

    def open(self, row: int, words: list[str]) -> None:
        """A row of these pages; the last one is not full, the others are named."""
        shared = self.book.find([word.encode() for word in words[:-1]])
        assert [self.lies[page] for page in shared] == words[: len(shared)]
        if (copies := self.book.open(row, len(words), shared)) is None:
            assert row not in self.book.tables
            return
        self.copied(copies)
        self.rows[row] = words
        self.write(row, len(shared))
        for index, word in enumerate(words[:-1]):
            self.book.name(row, index, word.encode())

    def extend(self, row: int, count: int) -> None:
        copies = self.book.extend(row, count)
        if copies is not None:
            self.copied(copies)
        table, before = self.book.tables[row], len(self.rows[row])
        self.rows[row] = [*self.rows[row], *(f"{row} {i}" for i in range(before, len(table)))]
        self.write(row, before)

    def write(self, row: int, start: int) -> None:
        for page, word in list(zip(self.book.tables[row], self.rows[row], strict=True))[start:]:
            self.lies[page] = word

    def check(self) -> None:
        """The book is right, and every row reads what it wrote."""
        self.book.check()
        for row, words in self.rows.items():
            assert [self.lies[page] for page in self.book.tables[row]] == words


@settings(max_examples=150)
@given(
    st.sampled_from([None, 5, 13, 40, 64]),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2), st.integers(1, 12)), max_size=60),
)
def test_the_book_is_right_whatever_is_asked_of_it(
    limit: int | None, keep: bool, asked: list[tuple[int, int, int]]
) -> None:
    book = Pages(limit, keep=keep and limit is not None)
    paper = Paper(book)
    for number, (what, family, count) in enumerate(asked, 1):
        rows = list(paper.rows)
        if what < 4 or not rows:
            paper.open(number, [f"{family} {i} of {'abc'[family]}" for i in range(count)])
        elif what < 8:
            row = rows[count % len(rows)]
            paper.extend(row, len(book.tables[row]) + family)
        else:
            row = rows[count % len(rows)]
            book.close(row)
            del paper.rows[row]
        paper.check()
    for row in list(paper.rows):
        book.close(row)
    assert book.held == 0
    book.clear()
    book.check()
    assert book.capacity == 0


def test_rows_of_like_length_lie_at_equal_distances() -> None:
    book = Pages()
    for row in (1, 2, 3):
        book.open(row, 5)
    lanes = [book.lanes[row] for row in (1, 2, 3)]
    assert [lane.width for lane in lanes] == [8, 8, 8]
    assert [lane.start - lanes[0].start for lane in lanes] == [0, 8, 16]


def test_an_ended_beginning_is_gone_on_from_where_it_lies() -> None:
    book = Pages(64, keep=True)
    book.open(1, 6)
    for index in range(5):
        book.name(1, index, bytes([index]))
    book.close(1)
    found = book.find([bytes([index]) for index in range(5)])
    assert book.open(2, 7, found) == []
    assert book.tables[2][:5] == found


def test_what_is_kept_goes_when_memory_is_wanted_the_oldest_first() -> None:
    book = Pages(8, keep=True)
    for row in (1, 2):
        book.open(row, 4)
        for index in range(4):
            book.name(row, index, bytes([row, index]))
        book.close(row)
    assert book.kept == 8
    book.open(3, 4)
    assert not book.find([bytes([1, 0])])
    assert len(book.find([bytes([2, index]) for index in range(4)])) == 4


def test_a_beginning_is_held_in_common_where_there_is_no_lane() -> None:
    book = Pages(6, keep=True)
    book.open(1, 4)
    for index in range(3):
        book.name(1, index, bytes([index]))
    assert book.open(2, 5, book.find([bytes([index]) for index in range(3)])) == []
    assert book.tables[2][:3] == book.tables[1][:3]
    assert book.held == 6
    book.check()
