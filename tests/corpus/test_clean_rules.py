"""Each rule says what it should of texts and labels, by the tables and numbers it names."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omma.corpus.clean import KEEP, Change, Drop, Label, Pair, Reading, Rule, Sight, TextRule, clean
from omma.corpus.clean_boxes import chosen
from omma.corpus.clean_html import Html
from omma.corpus.clean_likeness import Similarity, StoredScore
from omma.corpus.clean_patterns import PATTERNS, Irregular, Pattern
from omma.corpus.clean_rules import LINE_UPS, web
from omma.corpus.clean_scripts import SCRIPTS, emoji, foreign
from omma.corpus.clean_texts import Garbled, Length, Longest, Tidy, words

BLANK = Sight(b"")
TEXT_RULES = [rule for rule in web() if isinstance(rule, TextRule)]


def test_scripts_and_emoji_are_those_of_unicode() -> None:
    regex = pytest.importorskip("regex", reason="the other reader of Unicode's tables is not installed")
    assigned = (*range(0xD800), *range(0xE000, 0x34000), *range(0xE0000, 0xE1000), 0xF0000, 0x10FFFF)
    letters = "".join(map(chr, assigned))
    for name in SCRIPTS:
        wanted = regex.findall(rf"[^\p{{Script={name}}}\p{{Script=Common}}\p{{Script=Inherited}}]", letters)
        assert foreign((name,)).findall(letters) == wanted
    shown = set(regex.findall(r"\p{Emoji_Presentation}", letters))
    may = set(regex.findall(r"\p{Emoji}", letters))
    assert shown <= set(emoji().findall(letters)) <= may | {"\u20e3"}


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
def test_a_pattern_finds_its_example(pattern: Pattern) -> None:
    text, why = Irregular((pattern,)).read(pattern.example)
    assert pattern.name in why
    assert (text is None) == pattern.whole


@pytest.mark.parametrize("rule", TEXT_RULES, ids=lambda rule: rule.name)
@given(text=st.text(st.characters(), max_size=60))
@settings(max_examples=60)
def test_no_text_makes_a_rule_raise_or_grow_it(rule: TextRule, text: str) -> None:
    read = rule.read(text)
    assert read.text is None or len(read.text) <= len(text)
    assert read.text == text or read.why


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("© 2019 Getty Images. All rights reserved.", None),
        ("A barn at dusk. © 2019 Anna Bell.", "A barn at dusk."),
        ("A barn at dusk. All rights reserved.", "A barn at dusk."),
        ("body {color: red; margin: 0px} .a{b:c}", None),
        ("function f(a) { return a; }", None),
        ("A sign {small} on a wall... and a cat", "A sign {small} on a wall... and a cat"),
        ("The constant hum of a fan, a var. of blue", "The constant hum of a fan, a var. of blue"),
    ],
)
def test_what_is_cut_out_leaves_a_text_or_nothing(text: str, left: str | None) -> None:
    assert Irregular().read(text).text == left


@given(text=st.text(st.characters(), max_size=60))
def test_a_tidied_text_is_tidy(text: str) -> None:
    for rule in (Tidy(), Tidy(lines=True)):
        tidied = rule.read(text).text
        assert tidied is None or rule.read(tidied) == Reading(tidied)


def test_lines_stay_where_a_page_wants_them() -> None:
    assert Tidy(lines=True).read(" one  two \n\n three ").text == "one two\nthree"


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("one two", 2), ("— one —", 1), ("一只小狗", 4), ("3只 cats", 3), ("a-b c", 2), ("...", 0)],
)
def test_words_are_counted_in_both_scripts(text: str, count: int) -> None:
    assert words(text) == count


def test_what_is_no_element_is_no_tag() -> None:
    for text in ("I <3 it", "a < b and c > d", "<PERSON> here", "<brave> man", "x <- y", "<!> </>"):
        assert Html().read(text) == Reading(text)


def test_a_comment_or_script_that_never_ends_stays_text() -> None:
    assert Html().read("one <!-- two").text == "one <!-- two"
    assert Html().read("<script>one").text == "<script>one"


def test_a_text_that_falls_takes_only_itself() -> None:
    pair = Pair(b"", ("short", "A dog in the garden"))
    (judged,) = clean([pair], (Length(),))
    assert judged.pair == Pair(b"", ("A dog in the garden",))
    assert judged.steps[0].why.startswith("too short")


def test_the_longest_text_stays_and_the_first_of_equals() -> None:
    verdict = Longest().judge(Pair(b"", ("two", "three", "seven")), BLANK)
    assert isinstance(verdict, Change)
    assert verdict.pair.texts == ("three",)
    assert Longest().judge(Pair(b"", ("one",)), BLANK) == KEEP


def test_labels_go_where_their_words_went() -> None:
    text = "A <i>dog</i> and a dog by <b>the sea</b>"
    dog, sea, tag = text.rindex("dog"), text.index("the sea"), text.index("<i>")
    box = (0.0, 0.0, 1.0, 1.0)
    labels = (Label(dog, dog + 3, box), Label(sea, sea + 7, box), Label(tag, tag + 3, box))
    (judged,) = clean([Pair(b"", (text,), labels=labels)], (Html(),))
    assert judged.pair is not None
    said = judged.pair.texts[0]
    assert [said[label.start : label.stop] for label in judged.pair.labels] == ["dog", "the sea"]
    assert judged.pair.labels[0].start == said.rindex("dog")
    assert "1 labels lost" in judged.steps[0].why


spans = st.tuples(st.integers(0, 12), st.integers(1, 6)).map(lambda at: (at[0], at[0] + at[1]))


def apart(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one == other or one[1] <= other[0] or other[1] <= one[0]


@given(st.lists(spans, max_size=9))
def test_no_other_choice_of_labels_has_more_boxes(picked: list[tuple[int, int]]) -> None:
    labels = [Label(*span, (0, 0, 1, 1), score=n / 10) for n, span in enumerate(picked)]
    kept = chosen(labels)
    assert all(apart(a[:2], b[:2]) for a, b in combinations(kept, 2))
    best = 0
    kinds = sorted(set(picked))
    for count in range(len(kinds) + 1):
        for some in combinations(kinds, count):
            if all(apart(a, b) for a, b in combinations(some, 2)):
                best = max(best, sum(span in some for span in picked))
    assert len(kept) == best


@pytest.mark.parametrize(
    ("meta", "stays"),
    [
        ({"similarity": 0.28}, True),
        ({"similarity": 0.2799}, False),
        ({"similarity": 0.26, "set": "laion-zh"}, True),
        ({"similarity": 0.2599, "set": "laion-zh"}, False),
        ({"similarity": "0.9"}, False),
        ({"similarity": float("nan")}, False),
        ({}, False),
    ],
)
def test_each_set_has_its_own_threshold(meta: dict[str, object], stays: bool) -> None:
    rule = Similarity(StoredScore(), least=0.28, least_of={"laion-zh": 0.26})
    verdict = rule.judge(Pair(b"", ("A dog",), meta), BLANK)
    assert (verdict == KEEP) == stays
    assert stays or isinstance(verdict, Drop)


def test_only_the_texts_that_fit_stay() -> None:
    class Letters:
        def scores(self, shown: object) -> list[float]:
            return [len(one.text) / 10 for one in shown]  # type: ignore[attr-defined]

    verdict = Similarity(Letters(), least=0.5).judge(Pair(b"", ("abc", "abcdef")), BLANK)
    assert isinstance(verdict, Change)
    assert verdict.pair.texts == ("abcdef",)


@pytest.mark.parametrize("make", LINE_UPS.values(), ids=LINE_UPS)
def test_every_rule_of_a_line_up_has_a_name_of_its_own_and_says_what_it_is(make: object) -> None:
    rules: tuple[Rule, ...] = make()  # type: ignore[operator]
    assert len({rule.name for rule in rules}) == len(rules)
    for rule in rules:
        assert repr(rule) == repr(type(rule)(**{name: getattr(rule, name) for name in rule.__match_args__}))  # type: ignore[attr-defined]


def test_halves_of_characters_are_garbled_and_whole_ones_are_not() -> None:
    assert Garbled().read("\ud83d").text is None
    assert Garbled().read("\U0001f600").text is not None
