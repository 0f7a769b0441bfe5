"""Named drawings, languages, Chinese, sums: answers are their truths, wordings fill, splits share nothing."""

from __future__ import annotations

import json
import re
import string
from collections import Counter
from functools import lru_cache
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image

from omma.chat import Answer, Seen, Usage
from omma.evals.marks import mark
from omma.sample import Size
from omma.synth import Drawing, Thing, Turn, draw
from omma.synth import named as named_world
from omma.synth.ask_tongues import language_turns
from omma.synth.canvas import Canvas
from omma.synth.catalogue import TONGUES, Kind, Source, catalogue
from omma.synth.colours import NAMED
from omma.synth.coverage import drawn_by
from omma.synth.cutouts import lay, of_picture, of_wish
from omma.synth.exercise import WORLDS as ALL
from omma.synth.fonts import faces
from omma.synth.gallery import GALLERY
from omma.synth.grounds import Ground
from omma.synth.han_fonts import HELD_OUT, choose_han, han_faces, han_font, level_one
from omma.synth.scenes import devise
from omma.synth.tongues import tongue
from omma.synth.world import IGNORE, OBJECTS, SHAPES

SPLITS = ("train", "test")
KINDS = SHAPES + OBJECTS


@lru_cache
def turns(world: str, split: str) -> list[tuple[Drawing, Turn]]:
    found = []
    for level in range(4):
        for seed in range(8):
            exercise = draw(world, (12, seed), split=split, level=level, maps=False)
            found += [(exercise.drawing, turn) for turn in exercise.turns]
    return found


def check(drawing: Drawing, turn: Turn) -> None:
    """An answer is its truth in words."""
    truth = turn.truth
    json.dumps(truth)
    assert not re.search(r"\{\w", turn.question)
    if "word" in truth:
        assert turn.answer == truth["word"] != ""
    elif "number" in truth:
        assert turn.answer == str(truth["number"])
    elif "lines" in truth:
        assert turn.answer == "\n".join(truth["lines"])
    elif "boxes" in truth:
        width, height = drawing.picture.size
        for row, box in zip(json.loads(turn.answer), truth["boxes"], strict=True):
            back = np.array(row["bbox_2d"]) / 1000 * (width, height, width, height)
            np.testing.assert_allclose(back, box["box"], atol=0.6)
    elif "point" in truth:
        x, y = np.array(json.loads(turn.answer)["point_2d"]) / 1000 * drawing.picture.size
        x1, y1, x2, y2 = truth["box"]
        assert x1 <= x <= x2
        assert y1 <= y <= y2
    elif "result" in truth:
        assert turn.answer.splitlines() in ([*truth["steps"], truth["result"]], [truth["result"]])
    elif "said" in truth:
        assert turn.answer == truth["said"]
    elif "calls" in truth:
        size = Size(*drawing.picture.size)
        seen = (Seen("image", size, size, "grid"),)
        assert mark(truth, Answer(turn.answer, "stop", Usage(1, 1), seen=seen)).points == 1
    else:
        assert turn.task == "describe"


@pytest.mark.parametrize("world", list(GALLERY))
@pytest.mark.parametrize("split", SPLITS)
def test_an_answer_is_its_truth_in_words(world: str, split: str) -> None:
    for drawing, turn in turns(world, split):
        check(drawing, turn)


@pytest.mark.parametrize(
    "world", [world for world in GALLERY if world != "apps"]
)  # screens are not described
def test_the_answers_that_say_most_come_first(world: str) -> None:
    for seed in range(8):
        told = draw(world, seed, maps=False).turns
        assert told[0].task == ("read" if world == "chinese" else "describe")
        assert "bbox_2d" in told[1].answer
        assert len(told) >= 4


@pytest.mark.parametrize("world", ALL)
@pytest.mark.parametrize("size", [Size(28, 28), Size(28, 160), Size(160, 28)])
def test_every_world_is_drawn_at_the_smallest_sides_that_can_be_asked_for(world: str, size: Size) -> None:
    for level in (0, 3):
        assert draw(world, (0, level), level=level, size=size).drawing.picture.size == size


# Languages


@pytest.mark.parametrize("name", TONGUES)
def test_every_wording_of_a_language_fills_all_its_slots_with_every_thing(name: str) -> None:
    language = tongue(name)
    things = [language.thing(kind, colour) for kind in (*KINDS, "thing") for colour in (None, *NAMED)]
    things.append(language.quoted("name"))
    place = language.place("top left", said=True)
    for task, wording in language.wordings.items():
        for template in (*wording.train, *wording.test, *wording.shared):
            for number, forms in enumerate(things):
                said = template.format(
                    x=forms, a=forms, b=things[number - 1], side=language.word("left"), place=place,
                    colour=language.colour("red"), most=language.word("largest"), number="2", word="X",
                )  # fmt: skip
                assert "{" not in said, (task, template)
                assert "  " not in said, (task, template)


@pytest.mark.parametrize("name", TONGUES)
def test_each_task_has_many_wordings_and_the_test_has_its_own(name: str) -> None:
    for task, wording in tongue(name).wordings.items():
        least = (4, 2) if task.startswith("hint") else (6, 2)
        assert len(set(wording.train)) >= least[0], task
        assert len(set(wording.test)) >= least[1], task
        assert not {text.casefold() for text in wording.train} & {text.casefold() for text in wording.test}


@pytest.mark.parametrize("name", TONGUES)
def test_all_languages_know_the_same_words(name: str) -> None:
    language, english = tongue(name), tongue("en")
    assert set(english.wordings) <= set(language.wordings)
    assert set(language.tables["places"]) == set(english.tables["places"])
    assert set(language.tables["words"]) == set(english.tables["words"])
    if name != "en":
        assert {*KINDS, "thing"} == set(language.tables["nouns"])
        assert {*NAMED, "light", "dark"} == set(language.tables["colours"])
        bare = [language.thing(kind)["bare"] for kind in KINDS]
        assert len(set(bare)) == len(KINDS)


@pytest.mark.parametrize(
    ("name", "kind", "colour", "form", "said"),
    [
        ("de", "star", "red", "acc", "den roten Stern"),
        ("de", "cat", "pink", "dat", "der rosafarbenen Katze"),
        ("de", "book", "blue", "a", "ein blaues Buch"),
        ("es", "star", "white", "of", "de la estrella blanca"),
        ("es", "fish", "blue", "many", "peces azules"),
        ("fr", "star", "gray", "of", "de l’étoile grise"),
        ("fr", "tree", "white", "demany", "d’arbres blancs"),
        ("fr", "cup", "orange", "a", "une tasse orange"),
        ("zh", "fish", "red", "a", "一条红色的鱼"),
        ("ja", "cat", "black", "asks", "いますか"),
        ("ja", "car", "white", "how", "何台"),
        ("en", "umbrella", "orange", "a", "an orange umbrella"),
    ],
)
def test_things_are_inflected(name: str, kind: str, colour: str, form: str, said: str) -> None:
    assert tongue(name).thing(kind, colour)[form] == said


@pytest.mark.parametrize(
    ("name", "number", "said"),
    [
        ("de", 0, "Es sind keine roten Katzen zu sehen."),
        ("de", 1, "Es ist eine rote Katze zu sehen."),
        ("es", 2, "Hay dos gatos rojos."),
        ("fr", 0, "Il n’y a pas de chat rouge."),
        ("zh", 2, "有两只红色的猫。"),
        ("ja", 3, "赤い猫が三匹います。"),
        ("en", 1, "There is a red cat."),
    ],
)
def test_numbers_are_said_in_whole_sentences(name: str, number: int, said: str) -> None:
    assert tongue(name).counted(number, "cat", "red") == said


def test_a_known_scene_is_asked_about_rightly_in_every_language() -> None:
    nothing = np.zeros((0, 0), np.uint8)
    things = (Thing("circle", "red", (20, 20, 80, 80)), Thing("star", "blue", (200, 200, 260, 260)))
    picture = Image.new("RGB", (300, 300), "white")
    scene = Drawing(picture, things, "scenes", "white", nothing, nothing, nothing.astype(np.int16))
    answers: dict[str, set[str]] = {}
    for seed in range(200):
        for turn in language_turns(scene, "train", Random(seed)):
            answers.setdefault(turn.task, set()).add(turn.answer)
    assert answers["colour"] == {
        tongue(name).colour(colour) for name in TONGUES[1:] for colour in ("red", "blue")
    }
    assert answers["place"] == {
        tongue(name).place(place) for name in TONGUES[1:] for place in ("top left", "bottom right")
    }
    assert answers["total"] == {"2"}


def test_yes_is_as_frequent_as_no_in_other_languages() -> None:
    yes, no = ({tongue(name).word(word) for name in TONGUES} for word in ("yes", "no"))
    said = Counter(
        "yes" if turn.answer in yes - no else "no"
        for seed in range(150)
        for turn in draw("languages", (5, seed), level=2, maps=False).turns
        if turn.task in ("exists", "relation")
    )
    assert abs(said["yes"] / said.total() - 0.5) < 3 * 0.5 / said.total() ** 0.5


# Named drawings


def kind(*styles: str, name: str = "thing") -> Kind:
    forms = {"noto": "glyph", "outline": "outline"}
    ways = tuple(Source(style, forms.get(style, "file"), "") for style in styles)  # type: ignore[arg-type]
    return Kind(name, (("en", name),), ways)


def test_no_way_of_drawing_a_kind_is_in_both_splits_where_one_is_kept() -> None:
    many = [kind("noto", "flat", "outline", "Tango", name=f"kind {n}") for n in range(400)]
    for one in many:
        train, test = set(one.of_split("train")), set(one.of_split("test"))
        assert not train & test
        assert all(source.style != "Tango" for source in train)
    assert any(one.of_split("train") for one in many)
    unseen = [one for one in many if one.kept_for_test]
    assert 4 < len(unseen) < 40
    assert not any(one.of_split("train") for one in unseen)


def test_a_kind_that_is_drawn_in_one_way_is_in_both_splits() -> None:
    one = next(kind("noto", name=f"n{n}") for n in range(100) if not kind(name=f"n{n}").kept_for_test)
    assert one.of_split("train") == one.of_split("test")


def test_a_machine_without_named_drawings_draws_things_of_scenes_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(named_world, "catalogue", lambda: catalogue((tmp_path,)))
    named_world.pool.cache_clear()
    named_world._kinds.cache_clear()
    try:
        for level in range(4):
            exercise = draw("named", 3, level=level)
            assert {thing.kind for thing in exercise.drawing.things} <= set(KINDS)
            assert set(np.unique(exercise.drawing.kind_map)) > {0}
        assert sum("named drawings" in record.message for record in caplog.records) == 1
    finally:
        named_world.pool.cache_clear()
        named_world._kinds.cache_clear()


def test_a_kind_is_drawn_as_its_split_has_it() -> None:
    kinds = catalogue()
    if not kinds:
        pytest.skip("this machine has no named drawings")
    assert len({one.name for one in kinds}) == len(kinds)
    for split in SPLITS:
        for seed in range(12):
            for thing in draw("named", seed, split=split, maps=False).drawing.things:
                found = next(one for one in kinds if one.name == thing.kind)
                assert found.of_split(split)  # type: ignore[arg-type]
                assert not found.kept_for_test


def test_cut_outs_lie_where_their_boxes_say_even_over_the_border() -> None:
    canvas = Canvas(Image.new("RGB", (60, 40), "white"), 0)
    square = Image.new("RGBA", (20, 20))
    square.paste((255, 0, 0, 255), (4, 5, 16, 17))
    cut = of_picture(square, "thing", "red")
    assert cut.size == (12, 12)
    assert lay(canvas, cut, -4, 30, 0) == (0, 30, 8, 40)
    assert lay(canvas, cut, 70, 0, 1) is None
    assert (canvas.thing_map == 0).sum() == 80
    assert set(np.unique(canvas.kind_map)) == {0, IGNORE}


def test_a_thing_of_scenes_cut_out_looks_as_if_it_were_drawn_in_place() -> None:
    base = Ground(Image.new("RGB", (90, 90), (10, 120, 200)), "blue", ((10, 120, 200),))
    wish = devise("star", "yellow", base, Size(90, 90), 1, True, Random(1))
    cut = of_wish(wish)
    assert abs(cut.size.width - wish.width) <= 6
    canvas = Canvas(base.picture.copy(), 2)
    lay(canvas, cut, 5, 5, 0)
    inside = np.asarray(canvas.picture)[canvas.thing_map == 0]
    assert np.abs(inside.astype(int) - wish.ink).max(1).mean() < 40
    assert (np.asarray(canvas.picture)[canvas.thing_map < 0] == (10, 120, 200)).mean() > 0.9


# Chinese


def test_level_one_is_3755_characters() -> None:
    assert len(set(level_one())) == 3755
    assert level_one()[0] == "啊"
    assert all("一" <= letter <= "龥" for letter in level_one())


def test_the_table_of_a_font_says_what_it_draws() -> None:
    face = next((face for face in faces() if face.family.startswith("DejaVu Sans")), None)
    if face is None or face.path is None:
        pytest.skip("this machine has no DejaVu")
    drawn = drawn_by(face.path)
    assert set(map(ord, string.printable.strip())) <= drawn
    assert ord("啊") not in drawn


def test_chinese_is_printed_in_fonts_of_its_split() -> None:
    if not han_faces():
        pytest.skip("no font on this machine prints Chinese")
    families = {face.family for face in han_faces()}
    kept = {family for family in families if family.startswith(HELD_OUT)}
    for split, own in (("train", families - kept), ("test", kept)):
        chosen = {choose_han(None, split, Random(seed)).family for seed in range(30)}  # type: ignore[arg-type]
        assert chosen <= (own or families)
    face = han_faces()[0]
    type_ = han_font(face, 30, False)
    assert type_.length("国国国") == pytest.approx(90, abs=3)
    said = "".join(
        thing.text for seed in range(40) for thing in draw("chinese", seed, maps=False).drawing.things
    )
    assert sum(letter in level_one() for letter in said) > 0.5 * len(said)


def test_chinese_lines_stand_in_the_picture_and_read_as_printed() -> None:
    for drawing, turn in turns("chinese", "train"):
        if turn.task == "read":
            assert turn.truth["lines"] == [thing.text for thing in drawing.things]
        for thing in drawing.things:
            assert " ".join(found.text for found in thing.words) == thing.text


def test_without_a_chinese_font_english_is_printed(tmp_path: Path) -> None:
    exercise = draw("chinese", 4, level=2, fonts=(tmp_path,))
    assert all(thing.text.isascii() for thing in exercise.drawing.things)


# Sums


@pytest.mark.parametrize("split", SPLITS)
def test_steps_are_true_and_lead_to_the_result(split: str) -> None:
    seen = 0
    for _, turn in turns("sums", split):
        if "result" not in turn.truth:
            continue
        for step in turn.truth["steps"]:
            left, equals, right = step.replace("$", "").partition(" = ")
            if equals:
                sign = next(sign for sign in "+-×" if f" {sign} " in left)
                a, b = (float(part) for part in left.split(f" {sign} "))
                value = {"+": a + b, "-": a - b, "×": a * b}[sign]
                assert value == pytest.approx(float(right))
                seen += 1
        if any(" = " in step for step in turn.truth["steps"]):
            assert turn.truth["steps"][-1].endswith(f"= {turn.truth['result']}")
    assert seen > 20


def test_dice_show_as_many_dots_as_they_say() -> None:
    for seed in range(60):
        drawing = draw("sums", seed, level=0, maps=False).drawing
        for thing in drawing.things:
            if thing.kind == "die":
                box = tuple(round(edge) for edge in thing.box)
                die = np.asarray(drawing.picture.crop(box).convert("L")).astype(int)  # type: ignore[arg-type]
                body = np.median(die)
                assert _spots(np.abs(die - body) > 60) >= int(thing.text)


def _spots(apart: np.ndarray) -> int:
    """Patches of pixels that hang together."""
    left, found = {(int(y), int(x)) for y, x in np.argwhere(apart)}, 0
    while left:
        found += 1
        edge = [left.pop()]
        while edge:
            y, x = edge.pop()
            for near in ((y, x + 1), (y, x - 1), (y + 1, x), (y - 1, x)):
                if near in left:
                    left.remove(near)
                    edge.append(near)
    return found
