"""A video may be given as its frames, in every form, with their rate or times; what cannot be is said."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Picture

from omma.chat import Video
from omma.corpus.dialogue import measure, sample_of
from omma.corpus.reading import Corpus
from omma.corpus.record import Record
from omma.corpus.survey import survey
from omma.errors import BadInput
from omma.prep.processor import Processor
from omma.presets import GENERATIONS
from tests.corpus.goods import write_lines, write_shard, write_table
from tests.corpus.models import processor
from tests.train.school import small_spec

NAMES = [f"{i}.png" for i in range(6)]
ANSWER = {"role": "assistant", "content": "up"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate(NAMES):
        Picture.new("RGB", (56, 84), (40 * number, 0, 0)).save(tmp_path / name)
    return tmp_path


def part(**said: Any) -> dict[str, Any]:
    shown = {"type": "video", "video": NAMES, **said}
    return {"messages": [{"role": "user", "content": [shown, {"type": "text", "text": "Where?"}]}, ANSWER]}


def beside(**said: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "<video>Where?"}, ANSWER], "videos": [NAMES], **said}


def turns(**said: Any) -> dict[str, Any]:
    spoken = [{"from": "human", "value": "<video>\nWhere?"}, {"from": "gpt", "value": "up"}]
    return {"video": NAMES, "conversations": spoken, **said}


def whole(**said: Any) -> dict[str, Any]:
    return {"messages": beside()["messages"], "videos": [{"frames": NAMES, **said}]}


def caption(**said: Any) -> dict[str, Any]:
    return {"video": NAMES, "question": "Where?", "answer": "up", **said}


FORMS = {form.__name__: form for form in (part, beside, turns, whole, caption)}
TIMES = [0.0, 0.5, 1.0, 2.5, 3.0, 3.5]


def read(folder: Path, record: dict[str, Any]) -> Record:
    corpus = Corpus(write_lines(folder / "data.jsonl", [record]))
    return corpus.record(corpus.at(0))


def shown(record: Record) -> Video:
    (video,) = [part for part in record.messages[0].parts if isinstance(part, Video)]
    return video


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("clock", [{"fps": 4}, {"sample_fps": 4}, {"times": [i / 4 for i in range(6)]}])
def test_frames_are_one_video_in_every_form(form: str, clock: dict[str, Any], folder: Path) -> None:
    record = read(folder, FORMS[form](**clock))
    (visual,) = sample_of(record, processor()).visuals
    assert visual.kind == "video"
    assert visual.grid.slices == 3
    assert visual.times == tuple(i / 4 for i in range(6))
    assert not record.unread


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("clock", [{"fps": 2}, {"times": TIMES}])
def test_frames_are_measured_as_they_are_learned(
    generation: str, clock: dict[str, Any], folder: Path
) -> None:
    spec = small_spec(generation, folder / "model")
    seeing = Processor.from_folder(folder / "model", spec)
    record = read(folder, part(**clock))
    sample, measured = sample_of(record, seeing), measure(record, seeing)
    assert sample.weights_T is not None
    assert (measured.tokens, measured.learned) == (sample.length, np.count_nonzero(sample.weights_T))
    assert (measured.visual, measured.videos) == (sample.visuals[0].tokens, 1)


def test_times_that_are_even_are_a_rate(folder: Path) -> None:
    samples = [
        sample_of(read(folder, part(**clock)), processor())
        for clock in ({"fps": 2}, {"times": [i / 2 for i in range(6)]}, {"times": TIMES})
    ]
    assert [one.visuals[0].seconds_per_slice for one in samples[:2]] == [1.0, 1.0]
    assert samples[0].visuals[0].times == samples[1].visuals[0].times != samples[2].visuals[0].times


def test_several_videos_have_a_clock_each(folder: Path) -> None:
    asked = {"role": "user", "content": "<video><video>Where?"}
    record = {"messages": [asked, ANSWER], "videos": [NAMES[:2], NAMES[2:]], "fps": [1, 2]}
    videos = [part for part in read(folder, record).messages[0].parts if isinstance(part, Video)]
    assert [(len(video.source), video.fps) for video in videos] == [(2, 1.0), (4, 2.0)]


def test_as_many_places_as_names_are_as_many_videos(folder: Path) -> None:
    record = turns() | {"video": ["a.webp", "b.webp"]}
    record["conversations"][0]["value"] = "<video><video>Where?"
    videos = [part for part in read(folder, record).messages[0].parts if isinstance(part, Video)]
    assert [Path(video.source).name for video in videos] == ["a.webp", "b.webp"]


def test_frames_are_found_in_shards_and_tables(folder: Path) -> None:
    pictures = [(folder / name).read_bytes() for name in NAMES]
    table = Corpus(write_table(folder / "data.parquet", [beside() | {"videos": [pictures], "fps": 2.0}] * 5))
    shard = Corpus(write_shard(folder / "data.tar", [turns() | {"video": ["000000.png", "000000.png"]}]))
    assert shown(table.record(table.at(3))).source == tuple(pictures)
    assert len(shown(shard.record(shard.at(0))).source) == 2


def test_a_row_of_jpegs_is_frames(folder: Path) -> None:
    Picture.open(folder / "0.png").save(folder / "0.jpg")
    row = ",".join([base64.b64encode((folder / "0.jpg").read_bytes()).decode()] * 3)
    asked = {"type": "video_url", "video_url": {"url": f"data:video/jpeg;base64,{row}"}}
    record = read(folder, {"messages": [{"role": "user", "content": [asked]}, ANSWER]})
    assert sample_of(record, processor()).visuals[0].grid.slices == 2


def test_the_rate_of_a_film_is_not_the_rate_it_is_seen_at(folder: Path) -> None:
    record = read(folder, turns(fps=30) | {"video": "film.mp4"})
    assert shown(record) == Video(str(folder / "film.mp4"))
    assert record.unread == ("fps",)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"times": [0, 1, 2, 1.5, 3, 4]}, "frame 3 of the list stands at 1.5 s and the one before at 2 s"),
        ({"times": [0, 1]}, "the list has 6 frames and 2 times"),
        ({"times": [0, 1, 2, 3, 4, -1]}, "frame 5 of the list stands at -1"),
        ({"times": [0, 1, 2, 3, 4, "5 s"]}, "frame 5 of the list stands at '5 s'"),
        ({"times": [0, 1, 2, 3, 4, 5], "fps": 2}, "fps"),
        ({"fps": 0}, "fps"),
        ({"fps": "fast"}, "fps"),
    ],
)
def test_a_clock_that_cannot_be_is_told(form: str, said: dict[str, Any], words: str, folder: Path) -> None:
    with pytest.raises(BadInput, match=words):
        sample_of(read(folder, FORMS[form](**said)), processor())


@pytest.mark.parametrize("form", FORMS)
def test_a_frame_that_is_missing_or_of_another_size_is_named(form: str, folder: Path) -> None:
    record = read(folder, FORMS[form](fps=2))
    Picture.new("RGB", (57, 84)).save(folder / "4.png")
    with pytest.raises(BadInput, match="frame 4 of the list is 57×84 and frame 0 is 56×84"):
        sample_of(record, processor())
    (folder / "2.png").unlink()
    with pytest.raises(BadInput, match=r"2\.png cannot be opened"):
        sample_of(record, processor())


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (beside() | {"videos": [[]]}, "wanted a list of pictures"),
        (beside() | {"videos": [["0.png", None]]}, "a frame of a video is NoneType"),
        (beside() | {"videos": [NAMES, NAMES], "fps": [1, 2, 3]}, "fps for 3 and 2 videos"),
        (beside() | {"videos": [{"frames": NAMES, "rate": 2}]}, "has rate, which nobody reads"),
        (part(video="film.mp4", times=[0, 1]), "times are for a list of frames alone"),
        (part(video={"frames": []}), "wanted a list of pictures"),
    ],
)
def test_what_is_no_list_of_frames_is_told(record: dict[str, Any], words: str, folder: Path) -> None:
    with pytest.raises(BadInput, match=words):
        sample_of(read(folder, record), processor())


def test_the_doctor_counts_videos_of_frames(folder: Path) -> None:
    records = [part(fps=2), part(fps=2), turns() | {"video": ["0.png", "gone.png"]}]
    told = survey(Corpus(write_lines(folder / "data.jsonl", records)), processor())
    assert (told.usable, told.videos, told.repeats) == (2, 2, 1)
    assert dict(told.kinds) == {"missing media": 1}
    json.dumps(told.form())
