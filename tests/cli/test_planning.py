"""A plan is a table for people and exact numbers for machines; a conversion is one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from omma.cli.converting import read_bytes
from omma.errors import UnknownOption
from tests.cli.conftest import Run


def test_a_published_model_is_planned_by_name(omma: Run) -> None:
    ended = omma("plan", "qwen2.5-vl-3b", "--picture", "448x448", "--batch", "2", "--gpu", "L4", "--json")
    told = json.loads(ended.out)
    assert ended.code == 0
    assert told["parameters"]["total"] == 3_754_622_976
    assert told["kv_bytes_per_token"] == 2 * 36 * 2 * 128 * 2
    assert told["conversation"]["visual_tokens"] == 256
    named = {one["name"]: one for one in told["precisions"]}
    assert named["bfloat16"]["weights"] == 2 * 3_754_622_976
    assert named["bfloat16"]["accelerators"] == {"L4": 1}
    assert named["int4"]["peak"] is None


def test_a_folder_is_planned_as_it_lies(omma: Run, toy: Path) -> None:
    ended = omma("plan", toy, "--pictures", "0", "--context", "100")
    assert ended.code == 0
    assert "A conversation of 100 tokens" in ended.out
    assert "float32" in ended.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nosuch",), "qwen2.5-vl-3b"),
        (("omma-nano", "--picture", "big"), "wanted WxH such as 1280x720"),
        (("omma-nano", "--video", "640x360"), "wanted WxH@SECONDS"),
        (("omma-nano", "--gpu", "toaster"), "not in the table"),
        (("omma-nano", "--fps", "2"), "for a --video"),
        (("omma-nano", "--video", "640x360@5", "--pictures", "2"), "is shown instead"),
        (("omma-nano", "--picture", "1x8000"), "omma: --picture 1x8000: the picture is"),
        (("omma-nano", "--context", "99999"), "more than the 4,096"),
        (("qwen-vl-chat", "--video", "640x360@5"), "sees no videos"),
    ],
)
def test_a_wish_that_cannot_be_planned_is_one_sentence(words: tuple[str, ...], said: str, omma: Run) -> None:
    ended = omma("plan", *words)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_conversion_says_what_was_written(omma: Run, toy: Path, tmp_path: Path) -> None:
    ended = omma("convert", toy, tmp_path / "b", "--dtype", "bfloat16", "--json")
    told = json.loads(ended.out)
    assert (ended.code, told["files"], told["left_behind"]) == (0, 1, [])
    assert (
        f", {told['bytes'] / 1e6:.3g} MB in 1 file"
        in omma("convert", toy, tmp_path / "c", "--dtype", "bfloat16").out
    )
    again = omma("convert", toy, tmp_path / "b")
    assert (again.code, "is there already" in again.err) == (2, True)


@pytest.mark.parametrize(
    ("text", "size"),
    [("500MB", 5 * 10**8), ("1.5 GiB", 3 * 2**29), ("5gb", 5 * 10**9), ("2000KB", 2 * 10**6)],
)
def test_sizes_are_read_in_their_units(text: str, size: int) -> None:
    assert read_bytes(text) == size


@pytest.mark.parametrize("text", ["", "5", "GB", "-1GB", "10KB", "1e9B", "5 TB"])
def test_a_size_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(UnknownOption, match="wanted a size"):
        read_bytes(text)
