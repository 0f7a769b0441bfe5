"""Answers are marked as their truths say, figures come with intervals and chance, failures can be seen."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omma.chat import Answer, Delta, Message, Options, Seen, Usage, whole
from omma.errors import BadData, BadPicture, MissingFile, OmmaError
from omma.evals.figures import chance, figure
from omma.evals.marks import Mark, Question, distance, found_share, mark, missed
from omma.evals.sheet import sheet
from omma.evals.suites import LONGEST, MORE, evaluate, limits, read_suite
from omma.prep.boxes import Box
from omma.sample import Size
from omma.synth.suites import FURTHER, make_suite
from omma.synth.suites import SUITES as DRAWN

SUITES = sorted((Path(__file__).parents[2] / "data").glob("*/*.jsonl"))
SIZE = Size(100, 100)
SEEN = Seen("image", SIZE, SIZE, "grid")


def answer(text: str) -> Answer:
    return Answer(text, "stop", Usage(1, 1), (SEEN,))


def points(truth: Mapping[str, Any], text: str) -> float:
    return mark(truth, answer(text)).points


@pytest.mark.parametrize(
    ("wanted", "text", "right"),
    [
        ("red", " Red.", True),
        ("red", "the red", True),
        ("gray", "grey", True),
        ("red", "dark red", False),
        ("yes", "Yes, there is one.", True),
        ("no", "not at all", False),
        ("no", "No", True),
        ("red", "", False),
    ],
)
def test_words_are_compared_by_what_they_say(wanted: str, text: str, right: bool) -> None:
    assert points({"word": wanted}, text) == right


@pytest.mark.parametrize(
    ("wanted", "text", "right"),
    [(3, "3", True), (3, "There are three.", True), (0, "none", True), (3, "13", False), (3, "many", False)],
)
def test_numbers_are_read_in_digits_and_in_words(wanted: int, text: str, right: bool) -> None:
    assert points({"number": wanted}, text) == right


def test_a_point_must_lie_in_the_box() -> None:
    truth = {"point": [15, 15], "box": [10, 10, 20, 20], "label": "Save"}
    assert points(truth, '{"point_2d":[150,199],"label":"Save"}') == 1
    assert points(truth, '{"point_2d":[150,210]}') == 0
    assert points(truth, '[{"point_2d":[500,500]},{"point_2d":[150,150]}]') == 0
    assert points(truth, "") == 0


def test_letters_are_counted_against_the_truth_and_no_answer_costs_more_than_silence() -> None:
    truth = {"lines": ["red  fox", "jumps"]}
    assert mark(truth, answer("red fox\njumps")) == Mark(0, 13)
    assert mark(truth, answer("rat fox jump")) == Mark(3, 13)
    assert mark(truth, answer("")) == mark(truth, answer("chatter " * 50)) == Mark(13, 13)


def test_boxes_are_paired_once_and_the_superfluous_cost() -> None:
    truth = {"boxes": [{"box": [0, 0, 50, 50], "label": "a"}]}
    one = '{"bbox_2d":[0,0,500,500]}'
    assert points(truth, f"[{one}]") == 1
    assert points(truth, f"[{one},{one}]") == pytest.approx(2 / 3)
    assert points(truth, '[{"bbox_2d":[0,0,500,240]}]') == 0
    assert points(truth, "[]") == 0
    assert points({"boxes": []}, "[]") == 1


def boxes() -> st.SearchStrategy[Box]:
    edges = st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(1, 50), st.integers(1, 50))
    return edges.map(lambda e: Box(e[0], e[1], e[0] + e[2], e[1] + e[3]))


@given(st.lists(boxes(), max_size=6), st.lists(boxes(), max_size=6))
def test_overlap_and_found_share_are_shares_and_symmetric(some: list[Box], others: list[Box]) -> None:
    assert found_share(some, others) == pytest.approx(found_share(others, some))
    assert 0 <= found_share(some, others) <= 1
    assert found_share(some, some) == 1
    for one in some:
        assert one.iou(one) == pytest.approx(1)
        assert all(one.iou(other) == pytest.approx(other.iou(one)) for other in others)


@given(st.text("ab ", max_size=8), st.text("ab ", max_size=8), st.text("ab ", max_size=8))
def test_distance_is_one(a: str, b: str, c: str) -> None:
    assert (distance(a, b) == 0) == (a == b)
    assert distance(a, b) == distance(b, a)
    assert distance(a, c) <= distance(a, b) + distance(b, c)
    assert abs(len(a) - len(b)) <= distance(a, b) <= max(len(a), len(b))


def test_the_interval_of_right_and_wrong_is_wilsons() -> None:
    value, low, high = figure([Mark(1)] * 81 + [Mark(0)] * 19)
    assert (value, low, high) == pytest.approx((0.81, 0.7222, 0.8749), abs=1e-4)
    assert figure([Mark(1)] * 10).high == pytest.approx(1)


def test_the_interval_of_letters_holds_the_share_of_all_letters() -> None:
    value, low, high = figure([Mark(1, 10), Mark(0, 30), Mark(10, 10), Mark(2, 50)] * 10)
    assert value == 0.13
    assert 0.05 < low < value < high < 0.25


def unseen(task: str, *truths: Mapping[str, Any]) -> list[Question]:
    return [Question(Path(), "?", task, truth, SIZE) for truth in truths]


def test_chance_knows_the_task_but_not_the_picture() -> None:
    words = [{"word": word} for word in ("yes", "yes", "no")]
    assert chance(unseen("exists", *words) + unseen("count", {"number": 2}, {"number": 3})) == 3 / 5
    assert chance(unseen("point", {"box": [0, 0, 10, 10], "point": [5, 5]})) == 0.01
    assert chance(unseen("find", {"boxes": []}, {"boxes": [{"box": [0, 0, 90, 90]}]})) == 0.5
    assert chance(unseen("read", {"lines": ["abc"]})) == 1


class Knower:
    """Answers by heart; the questions of the first half only."""

    asked = 0

    def stream(self, spoken: Sequence[Message], options: Options) -> Iterator[Delta]:
        self.asked += 1
        text = "red" if spoken[-1].text == "Colour?" else "[]"
        yield Delta(text, "stop", Usage(1, 1), (SEEN,))


class Crowd(Knower):
    """The same, all together and out of order."""

    def answers(
        self, conversations: Iterable[Sequence[Message]], options: Options
    ) -> Iterator[tuple[int, Answer]]:
        told = list(enumerate(conversations))
        for index, spoken in reversed(told):
            yield index, answer("".join(delta.text for delta in self.stream(spoken, options)))


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    PIL.Image.new("RGB", SIZE).save(tmp_path / "a.png")
    rows = [
        ("Colour?", "colour", {"word": "red"}),
        ("Where?", "find", {"boxes": [{"box": [1, 2, 30, 40], "label": "<b>"}]}),
        ("Colour?", "colour", {"word": "blue"}),
    ]
    path = tmp_path / "scenes.jsonl"
    path.write_text(
        "\n".join(
            json.dumps({"picture": "a.png", "question": q, "task": task, "truth": truth, "size": [100, 100]})
            for q, task, truth in rows
        )
    )
    return path


@pytest.mark.parametrize("responder", [Knower(), Crowd()], ids=lambda r: type(r).__name__)
def test_every_question_is_asked_once_and_marked_in_its_place(suite: Path, responder: Knower) -> None:
    heard: list[tuple[int, int]] = []
    score = evaluate(responder, read_suite(suite), lambda done, all_: heard.append((done, all_)))
    assert [record.mark.points for record in score.records] == [1, 0, 0]
    assert score.figure.value == pytest.approx(1 / 3)
    assert score.suite.chance == pytest.approx(1 / 3)
    assert heard == [(1, 3), (2, 3), (3, 3)]
    assert responder.asked == 3


class Babbler(Knower):
    """Remembers how long it may speak."""

    def stream(self, spoken: Sequence[Message], options: Options) -> Iterator[Delta]:
        self.longest = getattr(self, "longest", {}) | {spoken[-1].text: options.max_tokens}
        return super().stream(spoken, options)


def test_an_answer_may_be_twice_as_long_as_the_longest_truth_and_sixteen_tokens(suite: Path) -> None:
    babbler = Babbler()
    score = evaluate(babbler, read_suite(suite))
    box = '[{"bbox_2d": [1, 2, 30, 40], "label": "<b>"}]'
    assert babbler.longest == {"Colour?": 2 * len("blue") + 16, "Where?": 2 * len(box) + 16}
    assert score.longest == 2 * len(box) + 16


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[2] / "data" / "nano-eval").glob("*.jsonl")))
def test_no_form_may_be_longer_than_before_whatever_the_truths(path: Path) -> None:
    for kind, longest in limits(Knower(), read_suite(path)).items():
        assert MORE < longest <= LONGEST[kind]


class Shy(Knower):
    """Fails at every question about a place."""

    def stream(self, spoken: Sequence[Message], options: Options) -> Iterator[Delta]:
        if spoken[-1].text == "Where?":
            raise BadPicture("the picture is broken")
        return super().stream(spoken, options)


class ShyCrowd(Shy):
    """The same, all together."""

    def answers(
        self, conversations: Iterable[Sequence[Message]], options: Options
    ) -> Iterator[tuple[int, Answer | OmmaError]]:
        for index, spoken in enumerate(conversations):
            try:
                yield index, whole(self.stream(spoken, options))
            except OmmaError as wrong:
                yield index, wrong


@pytest.mark.parametrize("responder", [Shy(), ShyCrowd()], ids=lambda r: type(r).__name__)
def test_a_question_that_cannot_be_answered_is_wrong_and_the_others_are_asked(
    suite: Path, responder: Knower
) -> None:
    score = evaluate(responder, read_suite(suite))
    assert [record.mark for record in score.records] == [Mark(1), Mark(0), Mark(0)]
    assert [(number, str(record.answer)) for number, record in score.unanswered] == [
        (2, "the picture is broken")
    ]
    assert "the picture is broken" in sheet([score])


@pytest.mark.parametrize(
    ("truth", "wanted"),
    [({"boxes": []}, Mark(0, 1)), ({"lines": ["ab", "c"]}, Mark(4, 4)), ({"word": "x"}, Mark(0, 1))],
)
def test_no_answer_is_worse_than_an_empty_one(truth: Mapping[str, Any], wanted: Mark) -> None:
    assert missed(truth) == wanted


def test_failures_are_on_the_sheet_and_nothing_in_them_is_markup(suite: Path) -> None:
    page = sheet([evaluate(Knower(), read_suite(suite))])
    assert page.count("<figure>") == 2
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert '<rect class="truth" x="1.0" y="2.0" width="29.0" height="38.0"/>' in page


def question(**fields: Any) -> str:
    told = {"picture": "a.png", "question": "?", "task": "t", "truth": {"word": "x"}, "size": [100, 100]}
    return json.dumps(told | fields)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2"),
        ('{"picture":"a.png"}', "it has no 'question'"),
        ('{"picture":"a.png","question":"?","task":"t","truth":{"x":1},"size":[1,1]}', "truth"),
        ('{"picture":"b.png","question":"?","task":"t","truth":{"word":"x"},"size":[1,1]}', "b.png"),
        ('{"picture":"a.png","question":"?","task":"t","truth":{"lines":["x"]},"size":[100,100]}', "mixes"),
        ('{"picture":"a.png","question":"?","task":"t","truth":{"word":"x"},"size":[1]}', "line 2"),
        ('{"picture":"a.png","question":"?","task":"t","truth":{"word":"x"},"size":["a",1]}', "size"),
        ('{"picture":"a.png","question":"?","task":"t","truth":{"word":5},"size":[1,1]}', "a text"),
        ('{"picture":"a.png","question":"?","task":"t","truth":{"number":true},"size":[1,1]}', "number"),
        ('{"picture":"a.png","question":"?","task":"t","truth":{"boxes":[[1,2,3,4]]},"size":[1,1]}', "boxes"),
        ('{"picture":"a.png","question":"?","task":"t","truth":{"point":[1,2]},"size":[1,1]}', "box"),
        ('{"picture":"a.png","question":"?","task":"t","truth":{"lines":[" "]},"size":[1,1]}', "letter"),
        ('{"picture":"a.png","question":"?","task":"t","truth":["word"],"size":[1,1]}', "truth"),
        ('{"picture":"a.png","question":7,"task":"t","truth":{"word":"x"},"size":[1,1]}', "question"),
        ('{"picture":"a.png","question":" ","task":"t","truth":{"word":"x"},"size":[1,1]}', "is empty"),
        (
            '{"picture":"a.png","question":"?","task":"t","truth":{"word":"x"},"size":[1,1],"more":"ab"}',
            "lists of texts",
        ),
        ('["picture"]', r"it is \["),
        ("[]", r"it is \[\], which is no object"),
        ("null", "it is null, which is no object"),
        ("[" * 100_000, "nested too deep"),
        ("1" * 5000, "more than 4,300 figures"),
        *((question(size=size), "wanted .width, height. in pixels") for size in ([1, 2, 3], "320x240", None)),
        (question(size=[320, 240]), r"its size is \[320, 240\], but the picture a.png is \[100, 100\]"),
        (question(picture=""), "its picture is empty"),
        (question(picture="pipe"), "is a device or a pipe"),
        (question(mroe=["a.png"]), "nobody reads its 'mroe'; known beside: more, before, fps"),
        (question(truth={"word": ""}), "wanted a text with a letter or more"),
        (question(truth={"word": "a", "number": 1}), "word and number; wanted one form"),
        (question(truth={"number": 1, "tolerance": 1}), "nobody reads 'tolerance' beside number"),
        (question(truth={"number": -1}), "0 or more"),
        (question(truth={"value": 1, "tolerance": -1}), "the tolerance of its truth is -1; wanted 0 or more"),
        (question(truth={"second": 1, "within": -1}), "the within of its truth is -1"),
        (question(truth={"order": [""]}), "none of them empty"),
        (question(truth={"result": "1", "steps": [1]}), "the steps of its truth"),
        (
            question(truth={"boxes": [{"box": [90, 0, 101, 9]}]}),
            "is not inside of .* 100×100",
        ),
        (question(truth={"point": [1, 1], "box": [-1, 0, 9, 9]}), "not inside"),
        (question(truth={"calls": [{"action": "left_click", "box": [0, 0, 9, 101]}]}), "not inside"),
        (question(truth={"boxes": [], "picture": 2}), "about picture 2; wanted one from 1 to 1"),
    ],
)
def test_a_line_that_is_no_question_is_named(suite: Path, line: str, said: str) -> None:
    os.mkfifo(suite.parent / "pipe")
    first = suite.read_text().splitlines()[0]
    suite.write_text(f"{first}\n{line}\n")
    with pytest.raises(BadData, match=said):
        read_suite(suite)


@pytest.mark.parametrize(
    ("truth", "said"),
    [
        ("{}", r"its truth is \{\}; wanted an object with one of word"),
        ('{"word":"a\\ud800"}', "half of a character"),
        ('{"boxes":[{"box":[9,9,1,1]}]}', "x1 under x2"),
        ('{"boxes":[{"box":[1,1,1,9]}]}', "x1 under x2"),
        ('{"point":[1,1],"box":[0,0,Infinity,1]}', "x1 under x2"),
        ('{"calls":[{"action":"left_click","box":[5,5,1,9]}]}', "wanted a list of objects"),
        ('{"second":NaN}', "a number of seconds"),
        ('{"spans":[[0,Infinity]]}', "in seconds"),
    ],
)
def test_a_truth_that_no_answer_can_meet_is_named(suite: Path, truth: str, said: str) -> None:
    suite.write_text(f'{{"picture":"a.png","question":"?","task":"t","size":[9,9],"truth":{truth}}}')
    with pytest.raises(BadData, match=rf"scenes\.jsonl, line 1 .*{said}"):
        read_suite(suite)


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.stem)
def test_every_suite_of_the_house_can_be_read(path: Path) -> None:
    assert read_suite(path).questions


def test_only_a_line_end_ends_a_question(suite: Path) -> None:
    asked = "Colour?\u2028Really?\u2029\x85"
    suite.write_bytes(suite.read_text().replace("Colour?", asked).replace("\n", "\r\n").encode())
    assert [q.question for q in read_suite(suite).questions] == [asked, "Where?", asked]


def test_a_suite_is_a_plain_file_and_a_mark_of_utf8_before_it_is_passed_over(suite: Path) -> None:
    suite.write_bytes(b"\xef\xbb\xbf" + suite.read_bytes())
    assert len(read_suite(suite).questions) == 3
    os.mkfifo(suite.with_name("pipe.jsonl"))
    with pytest.raises(MissingFile, match="is a device or a pipe; wanted a file"):
        read_suite(suite.with_name("pipe.jsonl"))


@pytest.mark.parametrize("size", [[100, 60], [60, 100]])
def test_a_picture_is_as_large_as_it_is_shown(suite: Path, size: list[int]) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    PIL.Image.new("RGB", (100, 60)).save(suite.with_name("a.png"), exif=exif)
    PIL.Image.new("RGB", (100, 60)).save(suite.with_name("a.jpg"), exif=exif)
    for name in ("a.png", "a.jpg"):
        suite.write_text(question(picture=name, size=size))
        with nullcontext() if size == [60, 100] else pytest.raises(BadData, match="its size is"):
            read_suite(suite)


def test_a_line_that_is_no_text_is_named(suite: Path) -> None:
    suite.write_bytes(suite.read_bytes() + b'\n{"picture": "\xff.png"}\n')
    with pytest.raises(BadData, match="line 4"):
        read_suite(suite)


def test_a_missing_suite_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingFile):
        read_suite(tmp_path / "no.jsonl")


def test_a_suite_as_it_is_drawn_can_be_read(tmp_path: Path) -> None:
    for name in DRAWN | FURTHER:
        suite = read_suite(make_suite(name, 2, tmp_path))
        assert len(suite.questions) == 2, name
    assert len(evaluate(Knower(), suite).records) == 2
