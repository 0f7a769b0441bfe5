"""Bad input gets one sentence that names the file or field, exit code 2, and never a traceback."""

from __future__ import annotations

import json
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from tests.cli.conftest import Ended, Run

EXAMPLES = Path(__file__).parents[2] / "examples"
SHAPES = EXAMPLES / "shapes.png"


def refused(ended: Ended, *names: str) -> None:
    assert ended.code == 2, ended
    assert ended.out == ""
    assert "Traceback" not in ended.err
    assert len(ended.err.strip().splitlines()) == 1, ended.err
    assert ended.err.startswith("omma: ")
    for name in names:
        assert name in ended.err


def png(width: int, height: int, *, wrong: bool = False) -> bytes:
    """A PNG of one grey. Its header may promise more pixels than anyone would decode."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress(bytes(min(height * (width + 1), 1 << 16)))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", rows)
    if wrong:
        body = body[:-4] + b"\0\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + head + body + chunk(b"IEND", b"")


def jpeg(folder: Path) -> bytes:
    Image.effect_noise((200, 150), 80).convert("RGB").save(folder / "whole.jpg")
    return (folder / "whole.jpg").read_bytes()


PICTURES: dict[str, Callable[[Path], bytes]] = {
    "empty.png": lambda folder: b"",
    "header.jpg": lambda folder: jpeg(folder)[:20],
    "text.png": lambda folder: b"only words\n",
    "page.png": lambda folder: b"<!doctype html><html><body>hello</body></html>",
    "truncated.jpg": lambda folder: jpeg(folder)[:3000],
    "checksum.png": lambda folder: png(60, 40, wrong=True),
    "bomb.png": lambda folder: png(30_000, 30_000),
    "narrow.png": lambda folder: png(1, 8000),
}


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("verb", ["ask", "find", "read", "point", "describe"])
def test_a_picture_that_cannot_be_used(name: str, verb: str, omma: Run, toy: Path, tmp_path: Path) -> None:
    picture = tmp_path / name
    picture.write_bytes(PICTURES[name](tmp_path))
    words = {"read": [], "describe": []}.get(verb, ["the circle"])
    refused(omma(verb, picture, *words, "--model", toy), name)


@pytest.mark.parametrize("verb", ["ask", "find", "read", "point", "describe"])
def test_a_file_that_is_not_there(verb: str, omma: Run, toy: Path) -> None:
    words = {"read": [], "describe": []}.get(verb, ["the circle"])
    refused(omma(verb, "nowhere/cat.png", *words, "--model", toy), "nowhere/cat.png")


def test_a_folder_given_as_a_picture(omma: Run, toy: Path, tmp_path: Path) -> None:
    refused(omma("ask", tmp_path, "What?", "--model", toy), str(tmp_path))


def test_a_video_without_pictures(omma: Run, toy: Path, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"nothing to see")
    refused(omma("ask", tmp_path / "clip.mp4", "What?", "--model", toy), "clip.mp4")


@pytest.mark.parametrize("name", ["nano", "/nowhere/at/all", "someone/something", str(SHAPES)])
def test_a_model_nobody_knows(name: str, omma: Run) -> None:
    refused(omma("ask", SHAPES, "What?", "--model", name), name)


def broken(folder: Path, copy: Path, change: Callable[[Path], None]) -> Path:
    shutil.copytree(folder, copy)
    change(copy)
    return copy


def shard_missing(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    names = sorted(tensors)
    files = {"a.safetensors": names[: len(names) // 2], "b.safetensors": names[len(names) // 2 :]}
    save_file({name: tensors[name] for name in files["a.safetensors"]}, folder / "a.safetensors")
    weight_map = {name: file for file, own in files.items() for name in own}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    (folder / "model.safetensors").unlink()


def tensor_missing(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors[next(name for name in sorted(tensors) if "norm" in name)]
    save_file(tensors, folder / "model.safetensors")


def tensor_left_over(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    save_file({**tensors, "visual.extra": next(iter(tensors.values())).clone()}, folder / "model.safetensors")


def tensor_misshapen(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    name = next(name for name in sorted(tensors) if tensors[name].ndim == 2)
    save_file(tensors | {name: tensors[name][:-1].clone()}, folder / "model.safetensors")


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def config_broken(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": ')


def weights_truncated(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])


FOLDERS: dict[str, tuple[Callable[[Path], None], str]] = {
    "shard missing": (shard_missing, "b.safetensors"),
    "tensor missing": (tensor_missing, "norm"),
    "tensor left over": (tensor_left_over, "visual.extra"),
    "tensor misshapen": (tensor_misshapen, "model.safetensors"),
    "pickle": (pickled, "pytorch_model.bin"),
    "config broken": (config_broken, "config.json"),
    "weights truncated": (weights_truncated, "model.safetensors"),
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_folder_that_is_no_model(kind: str, omma: Run, toy: Path, tmp_path: Path) -> None:
    change, name = FOLDERS[kind]
    folder = broken(toy, tmp_path / "model", change)
    refused(omma("ask", SHAPES, "What?", "--model", folder), name)


def test_an_empty_folder_is_no_model(omma: Run, tmp_path: Path) -> None:
    refused(omma("ask", SHAPES, "What?", "--model", tmp_path), str(tmp_path))


def test_a_prompt_longer_than_the_context(omma: Run, toy: Path) -> None:
    refused(omma("ask", "word " * 3000, "--model", toy), "tokens")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["ask", "a.png", "What?", "--modle", "x"], "--model"),
        (["asc", "a.png", "What?"], "did you mean ask?"),
        (["xyzzy"], "known: ask"),
        (["xyzzy"], "; see omma --help"),
        (["ask", "http://example.org/a.png", "What?"], "is an address"),
        (["find", str(SHAPES), " "], "what is ' '"),
        (["--nonsense"], "--nonsense"),
        (["ask"], "QUESTION"),
        (["find", str(SHAPES)], "WHAT"),
        (["read", str(SHAPES), "--as", "pdf"], "markdown"),
        (["ask", "hi", "--max-tokens", "many"], "--max-tokens"),
        (["ask", "hi", "--max-tokens", "0"], "max_tokens"),
        (["ask", "hi", "--temperature", "-1"], "temperature"),
        (["ask", "hi", "--top-p", "2"], "top_p"),
        (["ask", "hi", "--device", "toaster"], "device"),
        (["ask", "hi", "--dtype", "float8"], "dtype"),
        (["ask", str(SHAPES)], "What is this?"),
        (["ask", str(SHAPES), "What?", "--fps", "1"], "--fps is for videos"),
        (["ask", "What?", "--fps", "1"], "--fps is for videos"),
        (["ask", "What?", "--max-pixels", "50000"], "--max-pixels is for pictures and videos"),
        (["describe", str(SHAPES), "--max-pixels", "0"], "max_pixels"),
        (["point", str(SHAPES), "x", "--max-tokens", "0"], "max_tokens"),
        (["find", str(SHAPES), "x", "--draw", "nowhere/x.png"], "nowhere"),
        (["find", str(SHAPES), "x", "--draw", "x.txt"], ".png"),
        (["train", "nowhere.py:stage"], "nowhere.py"),
    ],
)
def test_an_option_or_verb_that_is_not_understood(words: list[str], named: str, omma: Run, toy: Path) -> None:
    model = [] if words[0] in ("asc", "xyzzy", "--nonsense", "train") else ["--model", str(toy)]
    refused(omma(*words, *model), named)


def test_a_recipe_without_such_a_stage(omma: Run, tmp_path: Path) -> None:
    (tmp_path / "recipe.py").write_text("from omma.train.recipe import Recipe\ndef one() -> Recipe: ...\n")
    refused(omma("train", f"{tmp_path}/recipe.py:two"), "recipe.py:one")


def test_a_recipe_that_does_not_run(omma: Run, tmp_path: Path) -> None:
    (tmp_path / "recipe.py").write_text("import nothing_of_this_name\n")
    refused(omma("train", f"{tmp_path}/recipe.py:one"), "nothing_of_this_name")


def test_a_name_that_steers_the_terminal_is_shown_without_its_controls(omma: Run, toy: Path) -> None:
    ended = omma("ask", "evil\x1b[31m\nname.png", "What?", "--model", toy)
    refused(ended, "evil")
    assert "\x1b" not in ended.err


@pytest.mark.parametrize("words", [[""], ["  "], [str(SHAPES), ""]], ids=str)
def test_an_empty_question_is_refused(words: list[str], omma: Run) -> None:
    refused(omma("ask", *words), "question")


def test_a_question_that_is_a_file_is_one_that_was_forgotten(omma: Run) -> None:
    refused(omma("ask", str(SHAPES), str(SHAPES)), "came without a question")
