"""Copies of pictures and texts are found near each other, others are not, and one of each group is kept."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageEnhance

from omma.corpus.clean import KEEP, Drop, Pair, Sight, clean
from omma.corpus.clean_pictures import Broken
from omma.corpus.near import PictureHash, agreement, distance, looks_alike, picture_hash
from omma.corpus.near_groups import By, Entry, HammingIndex, Near
from omma.corpus.near_suites import held_out
from omma.corpus.near_texts import SKETCH, TextIndex, in_common, shingles, sketch
from omma.errors import BadInput, MissingFile, UnknownOption
from omma.prep.pictures import open_picture
from omma.synth.suites import make_suite
from tests.corpus.planted import caption, drawings, encoded, words

PICTURES = [PIL.Image.open(io.BytesIO(body)).convert("RGB") for body in drawings()]


def jpeg(picture: PIL.Image.Image) -> PIL.Image.Image:
    return PIL.Image.open(io.BytesIO(encoded(picture, "JPEG", quality=40))).convert("RGB")


COPIES: dict[str, Callable[[PIL.Image.Image], PIL.Image.Image]] = {
    "saved again": jpeg,
    "half the size": lambda picture: picture.resize((140, 112), PIL.Image.Resampling.BICUBIC),
    "twice the size": lambda picture: jpeg(picture.resize((560, 448), PIL.Image.Resampling.LANCZOS)),
    "paler": lambda picture: ImageEnhance.Contrast(picture).enhance(0.8),
    "without colour": lambda picture: picture.convert("L").convert("RGB"),
}


@pytest.mark.parametrize("make", COPIES.values(), ids=COPIES)
def test_a_copy_looks_alike(make: Callable[[PIL.Image.Image], PIL.Image.Image]) -> None:
    alike = [looks_alike(picture_hash(one), picture_hash(make(one)), Near().radius) for one in PICTURES]
    assert sum(alike) >= len(alike) - 1


def test_different_drawings_do_not_look_alike() -> None:
    looks = [picture_hash(picture) for picture in PICTURES]
    pairs = [(a, b) for n, a in enumerate(looks) for b in looks[:n]]
    assert not [pair for pair in pairs if looks_alike(*pair, Near().radius)]


def test_flat_pictures_are_alike_only_pixel_for_pixel() -> None:
    white, cream, larger = (
        picture_hash(PIL.Image.new("RGB", size, colour))
        for size, colour in (((64, 64), "white"), ((64, 64), "ivory"), ((65, 64), "white"))
    )
    assert white.waves is None
    assert looks_alike(white, picture_hash(PIL.Image.new("RGB", (64, 64), "white")), 6)
    assert not looks_alike(white, cream, 6)
    assert not looks_alike(white, larger, 6)


numbers = st.integers(0, 2**64 - 1)


@given(st.lists(numbers, max_size=12), numbers, st.integers(0, 15), st.randoms(use_true_random=False))
def test_the_index_finds_all_within_its_radius_and_nothing_else(
    kept: list[int], wanted: int, radius: int, dice: Random
) -> None:
    near = [wanted ^ sum(1 << bit for bit in dice.sample(range(64), dice.randint(0, 20))) for _ in range(12)]
    index = HammingIndex(radius)
    for key, number in enumerate([*kept, *near]):
        index.add(key, number)
    found = [key for key, number in enumerate([*kept, *near]) if distance(number, wanted) <= radius]
    assert index.near(wanted) == found


@pytest.mark.parametrize("radius", [-1, 16, 64])
def test_a_radius_out_of_range_is_refused(radius: int) -> None:
    with pytest.raises(UnknownOption, match="0 to 15"):
        Near(radius=radius)


@given(st.sets(st.integers(0, 2**64 - 1), max_size=40), st.sets(st.integers(0, 2**64 - 1), max_size=40))
@settings(max_examples=30)
def test_sketches_agree_about_as_much_as_texts_have_in_common(one: set[int], other: set[int]) -> None:
    a, b = frozenset(one | {1, 2}), frozenset(other | {1, 2})
    agree = sum(x == y for x, y in zip(sketch(a), sketch(b), strict=True)) / SKETCH
    assert abs(agree - in_common(a, b)) < 0.35
    assert sketch(a) == sketch(frozenset(sorted(a, reverse=True)))


def test_case_and_marks_change_no_text() -> None:
    assert shingles("A dog, in the GARDEN!") == shingles("a dog in the garden")
    assert shingles("一只小狗。") == shingles("一只 小狗")
    assert in_common(shingles("a dog in the garden"), shingles("the stock of a shop")) < 0.2
    assert in_common(shingles(""), shingles("")) == 0


def test_the_index_of_texts_finds_those_with_four_fifths_in_common() -> None:
    said = words(60, 4).split()
    index = TextIndex()
    index.add(0, sketch(shingles(" ".join(said))))
    for at in range(0, 60, 7):
        changed = " ".join([*said[:at], "other", *said[at + 1 :]])
        assert in_common(shingles(changed), shingles(" ".join(said))) >= 0.8
        assert index.near(sketch(shingles(changed))) == [0]
    assert index.near(sketch(shingles("nothing of the kind"))) == []


def entries() -> list[Entry]:
    """Pictures thrice over, with texts of their own, with a text in common, and with one nearly so."""
    dice = Random(11)
    found = []
    for n, picture in enumerate(PICTURES[:8]):
        said = caption(dice) + f" number {n} of the row"
        for text, shown in (
            (said, picture),
            (said + "!", jpeg(picture)),
            (f"No. {n}: {words(5 + n, 5)}", picture),
        ):
            found.append(Entry(len(found), picture_hash(shown), text, shown.width * shown.height))
    found.append(Entry(len(found), picture_hash(PICTURES[9]), found[0].text, 7))
    return found


@pytest.mark.parametrize(("by", "left"), [("both", 17), ("picture", 9), ("text", 16), ("either", 8)])
def test_one_of_each_group_is_kept(by: By, left: int) -> None:
    all_of_them, rule = entries(), Near(by)
    copies = {copy.number: copy.kept for copy in rule.copies(all_of_them)}
    assert len(all_of_them) - len(copies) == left
    assert not set(copies) & set(copies.values()), "what stands for a copy is kept"
    kept = [entry for entry in all_of_them if entry.number not in copies]
    assert not list(rule.copies(kept)), "no two kept ones are near"
    for number, other in copies.items():
        assert list(rule.copies([all_of_them[number], all_of_them[other]])), (
            "a copy is near what stands for it"
        )


@given(st.randoms(use_true_random=False))
@settings(max_examples=10)
def test_the_order_of_pairs_does_not_matter(dice: Random) -> None:
    ordered = entries()
    mixed = ordered[:]
    dice.shuffle(mixed)
    assert sorted(Near("either").copies(mixed)) == sorted(Near("either").copies(ordered))


def test_the_longest_text_then_the_largest_picture_then_the_first_is_kept() -> None:
    looks = PictureHash(1, 1, "same")
    for lengths, areas, kept in (
        ((3, 5, 4), (9, 1, 9), 1),
        ((3, 3, 3), (1, 1, 2), 2),
        ((3, 3, 3), (1, 1, 1), 0),
    ):
        told = [Entry(n, looks, "x" * lengths[n], areas[n]) for n in range(3)]
        assert {copy.kept for copy in Near("picture").copies(told)} == {kept}


def test_what_is_near_an_evaluation_set_goes_and_the_set_is_named(tmp_path: Path) -> None:
    make_suite("counting", 3, tmp_path)
    make_suite("lines", 3, tmp_path)
    truths = [
        json.loads(line)["truth"]["lines"] for line in (tmp_path / "lines.jsonl").read_text().splitlines()
    ]
    rule = held_out([tmp_path])
    with PIL.Image.open(tmp_path / "counting/0002.webp") as picture:
        shown = jpeg(picture.convert("RGB"))
    (seen, other) = clean([Pair(shown, ("A scene",)), Pair(PICTURES[0], ("A scene",))], (rule,))
    assert (seen.pair, other.pair) == (None, Pair(PICTURES[0], ("A scene",)))
    assert "near counting: line 2" in seen.steps[0].why
    printed = max((" ".join(lines) for lines in truths), key=len)
    assert len(printed.split()) >= rule.least_words
    verdict = rule.judge(Pair(PICTURES[0], (f"{printed.upper()}.",)), Sight(PICTURES[0]))
    assert isinstance(verdict, Drop)
    assert "near lines" in verdict.why


def test_what_everyone_says_is_not_held_against_anyone(tmp_path: Path) -> None:
    (tmp_path / "short.jsonl").write_text(
        "".join(json.dumps({"question": words(count, 4), "truth": {}}) + "\n" for count in (7, 8))
    )
    rule = held_out([tmp_path / "short.jsonl"])
    sight = Sight(PICTURES[0])
    assert rule.judge(Pair(PICTURES[0], (words(7, 4),)), sight) == KEEP
    assert rule.judge(Pair(PICTURES[0], (words(8, 4),)), sight) != KEEP


def test_a_folder_of_pictures_is_an_evaluation_set(tmp_path: Path) -> None:
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench/a.png").write_bytes(drawings()[3])
    (judged,) = clean([Pair(drawings()[3], ("A scene",))], (Broken(), held_out([tmp_path / "bench"])))
    assert judged.steps[0].why == "its picture is near bench: a.png"


def test_a_set_that_cannot_be_read_to_the_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFile):
        held_out([tmp_path / "none.jsonl"])
    with pytest.raises(MissingFile, match="no evaluation set"):
        held_out([tmp_path])
    (tmp_path / "bad.jsonl").write_text(
        '{"picture": "gone.png", "question": "What?", "truth": {"word": "a"}}\n'
    )
    with pytest.raises(BadInput, match=r"gone\.png"):
        held_out([tmp_path / "bad.jsonl"])


def test_a_rule_against_other_sets_is_another_rule(tmp_path: Path) -> None:
    for name, said in (("a", words(9, 4)), ("b", words(9, 5))):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({"question": said}) + "\n")
    one, other = held_out([tmp_path / "a.jsonl"]), held_out([tmp_path / "b.jsonl"])
    assert repr(one) != repr(other)
    assert repr(one) == repr(held_out([tmp_path / "a.jsonl"]))


def test_the_greys_tell_apart_what_the_hashes_do_not() -> None:
    one, other = picture_hash(PICTURES[0]), picture_hash(PICTURES[3])
    confused = other._replace(waves=one.waves, steps=one.steps)
    assert not looks_alike(one, confused, Near().radius)
    assert looks_alike(one, confused._replace(greys=one.greys), Near().radius)


def test_lighter_and_paler_greys_agree_wholly() -> None:
    greys = bytes(range(0, 240, 10))
    assert agreement(greys, bytes(grey // 2 + 30 for grey in greys)) == pytest.approx(1)
    assert agreement(greys, greys[::-1]) == pytest.approx(-1)
    assert agreement(b"aaa", b"aaa") == 1
    assert agreement(b"aaa", b"abc") == 0


def test_no_two_questions_of_the_suites_look_alike() -> None:
    suites = Path(__file__).parents[2] / "data" / "nano-eval"
    looks = [picture_hash(open_picture(path)) for path in sorted(suites.rglob("*.webp"))[::12]]
    assert len(looks) > 100
    pairs = [(a, b) for n, a in enumerate(looks) for b in looks[:n] if a.pixels != b.pixels]
    assert not [pair for pair in pairs if looks_alike(*pair, Near().radius)]
