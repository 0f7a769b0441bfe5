"""Training and test share no wording but omma's own prompts, no font family, and no held-out word."""

from __future__ import annotations

import string
from pathlib import Path
from random import Random

import pytest

from omma.errors import MissingFile
from omma.sample import Size
from omma.synth import WORLDS, draw
from omma.synth.colours import ANCHORS, DEEP, NAMED, PALE, called, ink
from omma.synth.documents.worlds import DOCUMENT_WORLDS
from omma.synth.fonts import Face, faces, font, held_out, of_split
from omma.synth.vocabulary import kept_for_test, words
from omma.synth.wordings import plural, wordings

OWN_PROMPTS = {
    "find": "Locate every {what}. Answer with boxes in JSON.",
    "read": "Read all the text.",
    "read_boxes": "Read all the text with boxes in JSON.",
    "click": 'Point at the "{label}" {kind}. Answer with a point in JSON.',
    "describe": "Describe the picture.",
}


@pytest.mark.parametrize("task", list(wordings()))
def test_each_task_has_many_wordings_and_the_test_has_its_own(task: str) -> None:
    wording = wordings()[task]
    least = (4, 2) if task.startswith("hint") else (8, 3)
    assert len(set(wording.train)) >= least[0]
    assert len(set(wording.test)) >= least[1]
    train, test = ({text.lower() for text in texts} for texts in (wording.train, wording.test))
    assert not train & test
    assert not {text.lower() for text in wording.shared} & (train | test)


@pytest.mark.parametrize("task", list(OWN_PROMPTS))
def test_ommas_own_prompts_are_asked_in_both_splits(task: str) -> None:
    assert OWN_PROMPTS[task] in wordings()[task].shared


def test_no_font_family_is_in_both_splits() -> None:
    every = faces()
    train, test = ({face.family for face in every if held_out(face) == kept} for kept in (False, True))
    assert not train & test
    assert "Default" in train


def test_browsers_usual_families_are_for_training() -> None:
    for family in ("DejaVu Sans", "Liberation Sans", "Liberation Serif", "Noto Sans", "Roboto", "Open Sans"):
        assert not held_out(Face(family, "Regular", None))


def test_a_machine_without_fonts_prints_with_pillows_own(tmp_path: Path) -> None:
    (only,) = faces((tmp_path,))
    assert only.path is None
    assert of_split((tmp_path,), "test") == of_split((tmp_path,), "train")
    exercise = draw("words", 4, level=2, fonts=(tmp_path,))
    assert exercise.drawing.things[0].text


def test_a_font_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="not a folder"):
        draw("words", 1, fonts=(tmp_path / "none",))


def test_kerning_moves_cells_exactly_as_it_moves_ink() -> None:
    type_ = font(Face("Default", "Regular", None), 40)
    for text in ("AVATAR", "Type", "11:01"):
        assert type_.edges(text)[-1] == pytest.approx(type_.ink.getlength(text), abs=1)


def test_held_out_words_are_many_and_never_print_in_training() -> None:
    assert len(words(True)) > 150
    for world in WORLDS:
        size = Size(448, 336) if world in DOCUMENT_WORLDS else None  # whole pages of print take long to draw
        for seed in range(60):
            for thing in draw(world, (8, seed), level=3, size=size, maps=False).drawing.things:
                for found in thing.words:
                    for run in found.text.replace("@", " ").replace(".", " ").split():
                        assert not kept_for_test(run.strip(string.punctuation))


def test_held_out_words_do_print_in_the_test() -> None:
    printed = {
        found.text.lower()
        for seed in range(60)
        for thing in draw("words", seed, split="test", level=3, maps=False).drawing.things
        for found in thing.words
    }
    assert len(printed & set(words(True))) > 20


def test_an_ink_is_called_by_the_name_it_was_mixed_for() -> None:
    dice = Random(0)
    for name in NAMED:
        assert all(called(ink(name, dice)) == name for _ in range(300))
        assert all(called(anchor) == name for anchor in ANCHORS[name])
    assert {called(rgb) for rgb in PALE} == {"light"}
    assert {called(rgb) for rgb in DEEP} == {"dark"}


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("red circle", "red circles"),
        ("cross", "crosses"),
        ("fish", "fish"),
        ("blue butterfly", "blue butterflies"),
    ],
)
def test_plurals_are_english(one: str, many: str) -> None:
    assert plural(one) == many
