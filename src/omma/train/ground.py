"""What a run stands on besides its recipe: weights, processor, fonts, lines and precision, by their content.

A checkpoint holds what learns and nothing else, so a run that goes on over other frozen weights, another
tokenizer or other fonts would be another run that looks like the old one. Each of these has a digest here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from omma.corpus.reading import files_of
from omma.errors import BadCheckpoint, MissingFile
from omma.prep.ranks import RANKS
from omma.prep.rules import PICTURE_FILE, TOGETHER_FILE, VIDEO_FILE
from omma.synth.fonts import FOLDERS
from omma.train.numbers import Numbers
from omma.train.recipe import Data, Lines, Mix, Recipe, Worlds

PROCESSOR_FILES = ("tokenizer.json", RANKS, PICTURE_FILE, VIDEO_FILE, TOGETHER_FILE)
BLOCKS, BLOCK = 256, 2**20  # how much of a very large file is read: so many blocks of so many bytes
# What must be as it was where a run goes on, in words for a person; its precision is taken over from it.
CALLED = {
    "weights": "the weights it began from",
    "processor": "the processor's files",
    "data": "the lines or the fonts it learns from",
}


def ground(recipe: Recipe, weights: Iterable[tuple[str, Tensor]], numbers: Numbers) -> dict[str, str]:
    """A digest for each thing a run stands on; `weights` are all of the model's, before the first step."""
    return {
        "weights": _of_tensors(weights),
        "processor": _of_files(recipe.processor / name for name in PROCESSOR_FILES),
        "data": _of_data(recipe.data),
        **numbers.facts(),
    }


def check_ground(saved: Mapping[str, str], here: Mapping[str, str], folder: Path) -> None:
    """Raise BadCheckpoint when a run would go on over something else than it began on."""
    names = [name for name in CALLED if saved.get(name) != here[name]]
    if changed := [CALLED[name] for name in names]:
        raise BadCheckpoint(
            f"{folder} holds a run on other ground: {', '.join(changed)} changed since; bring back what was "
            "there, or name another folder to begin anew"
        )


def _of_tensors(tensors: Iterable[tuple[str, Tensor]]) -> str:
    """By name, shape and values as float32, whichever way they are kept."""
    digest = hashlib.sha256()
    for name, tensor in tensors:
        values = tensor.detach().to("cpu", torch.float32).contiguous()
        digest.update(f"{name} {tuple(values.shape)}".encode())
        digest.update(values.numpy().data)
    return digest.hexdigest()[:16]


def _of_files(paths: Iterable[Path]) -> str:
    """By name and content; a file that is not there counts as not there."""
    digest = hashlib.sha256()
    for path in paths:
        if path.is_file():
            digest.update(path.name.encode() + _content(path))
    return digest.hexdigest()[:16]


def _of_data(data: Data) -> str:
    """Lines by content; fonts, which decide what is drawn, by name and content."""
    digest = hashlib.sha256()
    match data:
        case Mix(shares):
            for share in shares:
                digest.update(_of_data(share.data).encode())
        case Lines(path):
            for file in files_of(path):
                digest.update(_content(file))
        case Worlds(_, folders):
            _check_fonts(folders)
            for font in sorted(_font_files(folders or FOLDERS), key=lambda path: (path.name, str(path))):
                digest.update(font.name.encode() + _content(font))
    return digest.hexdigest()[:16]


def _check_fonts(folders: Iterable[Path]) -> None:
    """Raise MissingFile for a folder that a recipe names and that is not there."""
    for folder in folders:
        if not folder.expanduser().is_dir():
            raise MissingFile(f"{folder}: there is no such folder of fonts; leave fonts out for the system's")


def _font_files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from folder.expanduser().rglob("*.[to]t[fc]")


def _content(path: Path) -> bytes:
    """A file's digest; of a very large one that of its size and of blocks all through it."""
    try:
        with path.open("rb") as file:
            if (size := path.stat().st_size) <= BLOCKS * BLOCK:
                return hashlib.file_digest(file, "sha256").digest()
            digest = hashlib.sha256(str(size).encode())
            for number in range(BLOCKS):
                file.seek(number * (size - BLOCK) // (BLOCKS - 1))
                digest.update(file.read(BLOCK))
            return digest.digest()
    except OSError as problem:
        raise MissingFile(f"{path} cannot be read: {problem.strerror}; the run learns from it") from None
