"""A toy model's folder, and the command line run inside this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from omma.cli import main
from omma.model.vlm import Vlm
from omma.prep.processor import Processor
from omma.prep.rules import PictureRules
from omma.prep.vocabulary import train_tokenizer
from omma.presets import GENERATIONS, tiny
from omma.weights.folder import write_folder


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with random weights, small enough to load in milliseconds."""
    tokenizer = train_tokenizer(iter(["You are a helpful assistant. user assistant system"] * 4), 310)
    spec = replace(tiny(GENERATIONS[0]), ids=tokenizer.token_ids)
    network = Vlm(spec)
    network.initialise(torch.Generator().manual_seed(3))
    folder = tmp_path_factory.mktemp("toy")
    write_folder(network, spec, folder, dtype=torch.float32)
    Processor(tokenizer, spec, PictureRules(min_pixels=784, max_pixels=50_000)).save(folder)
    return folder


@pytest.fixture
def omma(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run one command: ``omma("ask", picture, "What?")``."""

    def run(*words: str | Path) -> Ended:
        code = main([str(word) for word in words])
        told = capsys.readouterr()
        return Ended(code, told.out, told.err)

    return run
