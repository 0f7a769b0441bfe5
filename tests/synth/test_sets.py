"""Several pictures and clips: what is said of them is so, spans lie in the clip, files are read back."""

from __future__ import annotations

import json
import re
import sys
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from omma.chat import Video, messages
from omma.prep.reels import open_reel
from omma.sample import Size
from omma.synth import Exercise, draw
from omma.synth import films as films_room
from omma.synth.ask_compared import HOW, name_of
from omma.synth.dialogue import apart, dialogue, json_line, looked_at, shown
from omma.synth.gallery import SETS
from omma.synth.suites import make_data, make_suite

SPLITS = ("train", "test")


@lru_cache
def exercises(world: str, split: str, count: int = 10) -> tuple[Exercise, ...]:
    return tuple(
        draw(world, (13, seed), split=split, level=level, maps=False)
        for level in range(4)
        for seed in range(count)
    )


@pytest.mark.parametrize("world", list(SETS))
@pytest.mark.parametrize("split", SPLITS)
def test_an_answer_is_its_truth_in_words(world: str, split: str) -> None:
    for exercise in exercises(world, split):
        assert len(exercise.turns) >= 3
        assert "bbox_2d" in exercise.turns[1].answer or exercise.turns[1].answer == "[]"
        for turn in exercise.turns:
            truth = turn.truth
            json.dumps(truth)
            assert not re.search(r"\{\w", turn.question)
            if "word" in truth:
                assert turn.answer == truth["word"] != ""
            elif "number" in truth:
                assert turn.answer == str(truth["number"])
            elif "order" in truth:
                assert turn.answer.splitlines() == truth["order"]
            elif "second" in truth:
                assert turn.answer == f"{truth['second']:g} s"
            elif "spans" in truth:
                told = [[row["start"], row["end"]] for row in json.loads(turn.answer)]
                assert told == truth["spans"]
            elif "boxes" in truth or "track" in truth:
                width, height = exercise.drawing.picture.size
                rows = truth.get("boxes", truth.get("track"))
                for row, box in zip(json.loads(turn.answer), rows, strict=True):
                    back = np.array(row["bbox_2d"]) / 1000 * (width, height, width, height)
                    np.testing.assert_allclose(back, box["box"], atol=0.6)
                    assert row.get("time") == box.get("time")
            else:
                assert {"pictures", "changes", "events"} & set(truth)


@pytest.mark.parametrize("world", list(SETS))
def test_all_drawings_are_the_same_bytes_for_the_same_arguments(world: str) -> None:
    for level in range(4):
        first, second = (draw(world, (4, 2), level=level) for _ in range(2))
        assert first.turns == second.turns
        assert first.fps == second.fps
        for one, other in zip(first.drawings, second.drawings, strict=True):
            assert one.picture.tobytes() == other.picture.tobytes()
            np.testing.assert_array_equal(one.thing_map, other.thing_map)


# Clips


@pytest.mark.parametrize("split", SPLITS)
def test_spans_and_moments_lie_in_the_clip(split: str) -> None:
    seen = 0
    for exercise in exercises("clips", split):
        assert exercise.fps is not None
        assert len(exercise.drawings) % 2 == 0
        end = (len(exercise.drawings) - 1) / exercise.fps
        for turn in exercise.turns:
            for start, stop in turn.truth.get("spans", []):
                assert 0 <= start <= stop <= end
                seen += 1
            if "second" in turn.truth:
                assert 0 < turn.truth["second"] <= end
            for event in turn.truth.get("events", []):
                assert 0 <= event["span"][0] <= event["span"][1] <= end
            for row in turn.truth.get("track", []):
                assert 0 <= row["time"] <= end
    assert seen > 5


def test_no_two_frames_are_the_same_and_all_are_of_one_size() -> None:
    for exercise in exercises("clips", "train"):
        pictures = [drawing.picture for drawing in exercise.drawings]
        assert len({picture.size for picture in pictures}) == 1
        for one, other in pairwise(pictures):
            assert one.tobytes() != other.tobytes()


def test_what_is_followed_stands_in_the_frame_of_that_time() -> None:
    for exercise in exercises("clips", "train"):
        assert exercise.fps is not None
        for row in exercise.turns[1].truth["track"]:
            things = exercise.drawings[round(row["time"] * exercise.fps)].things
            assert any(np.allclose(thing.box, row["box"], atol=0.06) for thing in things)


def test_directions_are_those_in_which_boxes_move() -> None:
    seen = 0
    for exercise in exercises("clips", "train"):
        for turn in exercise.turns:
            if turn.task != "direction_of":
                continue
            kinds = {thing.kind for drawing in exercise.drawings for thing in drawing.things}
            kind = max((kind for kind in kinds if kind in turn.question), key=len)
            middles = [t.centre for d in exercise.drawings for t in d.things if t.kind == kind]
            across, down = (last - first for first, last in zip(middles[0], middles[-1], strict=True))
            along = {"left": -across, "right": across, "up": -down, "down": down}
            assert max(along, key=lambda way: along[way]) == turn.answer
            seen += 1
    assert seen


def test_things_are_counted_as_the_frames_show_them() -> None:
    for exercise in exercises("clips", "train"):
        assert exercise.fps is not None
        for turn in exercise.turns:
            if turn.task == "count_at":
                second = float(re.findall(r"\d+(?:\.\d+)?", turn.question)[0])
                assert len(exercise.drawings[round(second * exercise.fps)].things) == turn.truth["number"]
            if turn.task == "order":
                events = [event["what"] for event in exercise.turns[0].truth["events"]]
                assert events == turn.truth["order"]


# Several pictures


def test_what_changed_is_what_differs() -> None:
    hows = set()
    for exercise in exercises("compared", "train", 24):
        for turn in exercise.turns:
            if turn.task != "change":
                continue
            before, after = ({name_of(thing) for thing in d.things} for d in exercise.drawings)
            for change in turn.truth["changes"]:
                hows.add(change["how"])
                if change["how"] in ("color", "kind", "gone"):
                    assert change["what"] in before - after
                elif change["how"] == "new":
                    assert change["what"] in after - before
                else:
                    assert change["what"] in before & after
            same = exercise.drawings[0].things == exercise.drawings[1].things
            assert same == (not turn.truth["changes"])
    assert hows >= {"color", "place"}
    assert hows <= set(HOW)


def test_counts_over_all_pictures_are_their_sums() -> None:
    for exercise in exercises("compared", "train"):
        things = sum(len(drawing.things) for drawing in exercise.drawings)
        for turn in exercise.turns:
            if turn.task == "count_over" and re.search(r"\bthings\b", turn.question):
                assert turn.truth["number"] == things
            if turn.task in ("which_has", "which_most", "odd"):
                assert 1 <= turn.truth["number"] <= len(exercise.drawings)


def test_a_turn_that_follows_stands_behind_the_one_it_follows_on() -> None:
    seen = 0
    for exercise in exercises("compared", "train"):
        chains = apart(exercise)
        assert sum(len(chain) for chain in chains) == 2 * len(exercise.turns)
        follows = [turn for turn in exercise.turns if turn.follows]
        assert len(chains) == len(exercise.turns) - len(follows)
        for turn in follows:
            chain = next(chain for chain in chains if any(said.text == turn.question for said in chain[2:]))
            assert chain[-1].text == turn.answer
            seen += 1
        assert sum(len(said.parts) > 1 for chain in chains for said in chain) == 1
    assert seen > 5


# Dialogues and files


def test_pictures_and_clips_stand_in_the_first_question() -> None:
    pictures, clip = draw("compared", 3, level=1), draw("clips", 3, level=1)
    assert len(shown(pictures)) == len(pictures.drawings) > 1
    (video,) = shown(clip)
    assert isinstance(video, Video)
    assert video.fps == clip.fps
    assert len(video.source) == len(clip.drawings)
    assert len(dialogue(clip)[0].parts) == 2
    assert len(looked_at(clip, 2)) == len(clip.drawings) // 2
    assert looked_at(pictures, 2) == pictures.drawings
    line = json_line(clip, "clips/1.mp4")
    spoken = messages(line["messages"])
    assert spoken[0].parts[0] == Video("clips/1.mp4", fps=clip.fps)


def test_the_same_clip_is_the_same_film_whatever_memory_held_before(tmp_path: Path) -> None:
    pytest.importorskip("av")
    clip, dice = draw("clips", (0, 0), level=3, maps=False), np.random.default_rng(0)
    films = set()
    for _ in range(40):
        stale = [dice.integers(0, 256, count, np.uint8) for count in dice.integers(1000, 300_000, 20)]
        del stale
        (name,) = films_room.write_pictures(clip, tmp_path, "0001", small=False, film=True)
        films.add((tmp_path / name).read_bytes())
    assert len(films) == 1


@pytest.mark.parametrize("av", [True, False])
def test_a_clip_that_was_written_is_read_frame_by_frame(
    tmp_path: Path, av: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not av:
        monkeypatch.setitem(sys.modules, "av", None)
    films_room._can_film.cache_clear()
    file = make_data("clips", 2, tmp_path, level=1, size=Size(112, 84))
    films_room._can_film.cache_clear()
    for number, line in enumerate(file.read_text().splitlines()):
        part = messages(json.loads(line)["messages"])[0].parts[0]
        assert isinstance(part, Video)
        assert str(part.source).endswith(".mp4" if av else ".webp")
        exercise = draw("clips", (0, number), level=1, size=Size(112, 84), maps=False)
        with open_reel(tmp_path / part.source, part.fps or 2.0) as reel:
            assert list(reel.times) == pytest.approx([i / part.fps for i in range(len(exercise.drawings))])  # type: ignore[operator]
            for frame, drawing in zip(reel.pick(range(len(reel.times))), exercise.drawings, strict=True):
                apart_by = np.abs(np.asarray(frame).astype(int) - np.asarray(drawing.picture)).mean()
                assert apart_by < (6 if av else 0.01)


def test_a_suite_of_references_tells_what_was_said_before(tmp_path: Path) -> None:
    for line in make_suite("references", 3, tmp_path).read_text().splitlines():
        row = json.loads(line)
        assert len(row["before"]) == 1
        for name in (row["picture"], *row["more"]):
            with Image.open(tmp_path / name) as picture:
                assert list(picture.size) == row["size"]
