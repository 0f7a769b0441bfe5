"""What a loaded model says about itself: its card, and a digest that tells its weights apart."""

from __future__ import annotations

import hashlib
from pathlib import Path

from omma.prep.processor import Processor
from omma.serve.desk import Card
from omma.skills.prompts import prompts

WHOLE = 256 << 20  # weights up to so many bytes are read through
SAMPLES, SAMPLE = 64, 1 << 16  # of a larger file: so many stretches of so many bytes, evenly


def card_of(name: str, folder: Path, processor: Processor) -> Card:
    """The card of a model that was loaded from this folder."""
    spec = processor.spec
    files = sorted(folder.glob("*.safetensors"))
    return Card(
        name=name,
        family=spec.family,
        context=spec.decoder.context,
        dialect=spec.boxes,
        thinks=processor.thinks,
        calls=spec.family != "qwen-vl",
        digest=weights_digest(files),
        created=int(max((file.stat().st_mtime for file in files), default=0.0)),
        prompts=prompts(spec.boxes),
    )


def weights_digest(files: list[Path]) -> str:
    """SHA-256 over the files' sizes and bytes; of large ones over their heads and samples of the rest."""
    told = hashlib.sha256()
    whole = sum(file.stat().st_size for file in files) <= WHOLE
    for path in files:
        size = path.stat().st_size
        told.update(size.to_bytes(8, "big"))
        with path.open("rb") as file:
            if whole:
                while part := file.read(1 << 20):
                    told.update(part)
                continue
            told.update(file.read(1 << 20))
            for i in range(SAMPLES):
                file.seek(i * (size - SAMPLE) // (SAMPLES - 1))
                told.update(file.read(SAMPLE))
    return told.hexdigest()
