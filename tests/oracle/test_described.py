"""transformers takes no described model for one of its own; what it could read, it reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoConfig, AutoProcessor

from omma.prep.processor import Processor
from omma.prep.rules import DESCRIBED as RULES
from omma.presets import DESCRIBED, tiny
from omma.weights.config import write_config
from tests.train.school import small_tokenizer


@pytest.mark.parametrize("name", DESCRIBED)
def test_a_described_model_is_refused_by_name(name: str, tmp_path: Path) -> None:
    tokenizer, toy = small_tokenizer(), tiny(name)
    decoder = replace(toy.decoder, vocabulary=tokenizer.size)
    spec = replace(toy, ids=tokenizer.token_ids, decoder=decoder)
    write_config(spec, tmp_path, dtype="bfloat16")
    Processor(tokenizer, spec, RULES).save(tmp_path)
    with pytest.raises(ValueError, match="omma_described"):
        AutoConfig.from_pretrained(tmp_path)
    made: Any = AutoProcessor.from_pretrained(tmp_path)  # type: ignore[no-untyped-call]
    assert not hasattr(made, "video_processor")  # it is no more than the tokenizer
    assert not hasattr(made, "image_processor")
