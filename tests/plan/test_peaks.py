"""What is planned is what is measured: the peak of a process that loads a model and answers with it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from omma.engine.packed import packs_bfloat16
from omma.plan.parameters import blueprint, count
from omma.plan.peak import Lying, phases
from omma.plan.showing import Film, Wish, talk_of
from omma.prep.processor import Processor
from omma.prep.rules import published_rules
from omma.prep.vocabulary import train_tokenizer
from omma.presets import preset
from omma.sample import Size
from omma.spec import ModelSpec
from omma.weights.config import write_config
from omma.weights.names import public_name, public_shape

ANSWER = """
import json, sys
from pathlib import Path
import numpy as np, PIL.Image, torch
import omma
from omma.chat import Image, Video
import omma.engine.engine, omma.engine.packed, omma.prep.processor, omma.respond, omma.loading

def peak():
    status = Path("/proc/self/status").read_text()
    return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))

folder, dtype, batch, words, answer, picture, film = json.loads(sys.argv[1])
for kind in (torch.bfloat16, torch.float32):
    torch.nn.functional.linear(torch.ones(64, 64, dtype=kind), torch.ones(64, 64, dtype=kind))
base = peak()
model = omma.load(folder, dtype=dtype)
shown = [Image(PIL.Image.new("RGB", tuple(picture)))] if picture else []
if film:
    shown = [Video(np.zeros((film[2], film[1], film[0], 3), np.uint8), fps=2.0)]
said = "".join(chr(33 + 7 * i % 90) for i in range(words))  # no two neighbours alike: no expert is left out
asked = [[omma.message("user", *shown, said)] for _ in range(batch)]
told = model.generate(asked, max_tokens=answer)
print(json.dumps([peak() - base, told[0].usage.prompt_tokens, told[0].usage.completion_tokens]))
"""
DTYPES = {"BF16": torch.bfloat16, "F16": torch.float16}
TOKENIZER = train_tokenizer(iter(["You are a helpful assistant. user assistant system a b"] * 4), 310)


@dataclass(frozen=True)
class Case:
    """Part of a published model, kept as `kept`, loaded as `dtype`, and what it is shown and asked."""

    name: str = "qwen2.5-vl-3b"
    tower: int = 4
    decoder: int = 4
    key_heads: int | None = None
    kept: str = "BF16"
    dtype: str = "auto"
    batch: int = 1
    words: int = 16
    answer: int = 44
    picture: tuple[int, int] | None = None
    film: tuple[int, int, int] | None = None  # width, height, frames at 2 a second

    def spec(self) -> ModelSpec:
        """The model, cut."""
        whole = preset(self.name)
        vision, decoder = whole.vision, whole.decoder
        full = () if vision.window is None else (self.tower - 1,)
        deep = tuple(range(min(len(vision.deepstack), self.tower, self.decoder)))
        return replace(
            whole,
            vision=replace(vision, depth=self.tower, full_layers=full, deepstack=deep),
            decoder=replace(decoder, depth=self.decoder, key_heads=self.key_heads or decoder.key_heads),
            ids=TOKENIZER.token_ids,
        )


CASES = {
    "a picture, packed": Case(picture=(896, 672), tower=8, decoder=6),
    "half precision, converted": Case("qwen2.5-vl-7b", decoder=2, kept="F16", picture=(448, 448)),
    "a head of its own, packed": Case("qwen2.5-vl-7b", tower=2, decoder=2, picture=(280, 280)),
    "full precision, converted": Case(decoder=4, dtype="float32", words=100, batch=2),
    "a large picture": Case(picture=(1344, 1008), tower=2, decoder=1, answer=4),
    "a video": Case(film=(336, 336, 16), tower=4, decoder=3),
    "Qwen2-VL, a picture": Case("qwen2-vl-2b", tower=4, decoder=4, picture=(560, 420), answer=8),
    "Qwen3-VL, pictures added level by level": Case(
        "qwen3-vl-4b", tower=4, decoder=4, picture=(640, 480), answer=8
    ),
    "Qwen3-VL, a video": Case("qwen3-vl-2b", tower=3, decoder=3, film=(320, 320, 8), answer=8),
    "experts, all of them chosen": Case(
        "qwen3-vl-30b-a3b", tower=2, decoder=1, picture=(320, 320), words=400, answer=8
    ),
    "many at once": Case(key_heads=16, decoder=6, tower=1, words=500, batch=12, answer=24),
}


def sparse_folder(folder: Path, spec: ModelSpec, kind: str) -> None:
    """A folder of zeros that takes no room on the disk, but for what sends tokens to different experts."""
    write_config(spec, folder, dtype=str(DTYPES[kind]).removeprefix("torch."))
    Processor(TOKENIZER, spec, published_rules(spec)).save(folder)
    header: dict[str, object] = {}
    drawn: dict[int, bytes] = {}
    at = 0
    for ours, weight in blueprint(spec).named_parameters():
        end = at + 2 * weight.numel()
        if ours.endswith(("embedding.weight", "router.weight", "feed_norm.weight")):
            rows = torch.randn(min(len(weight), TOKENIZER.size), *weight.shape[1:])
            drawn[at] = rows.to(DTYPES[kind]).view(torch.uint8).numpy().tobytes()
        shape = public_shape(ours, tuple(weight.shape), spec)
        header[public_name(ours, spec.family)] = {"dtype": kind, "shape": shape, "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + at)
        for place, numbers in drawn.items():
            file.seek(8 + len(text) + place)
            file.write(numbers)


def measured(case: Case, folder: Path) -> tuple[int, int, int]:
    """Bytes at the peak over those of a process that has done nothing yet; tokens read, and written."""
    sparse_folder(folder, case.spec(), case.kept)
    wish = (str(folder), case.dtype, case.batch, case.words, case.answer, case.picture, case.film)
    done = subprocess.run(
        [sys.executable, "-c", ANSWER, json.dumps(wish)], check=True, capture_output=True, text=True
    )
    peak, read, wrote = json.loads(done.stdout)
    return peak, read, wrote


def planned(case: Case, read: int, wrote: int) -> int:
    """Bytes at the peak by plan."""
    spec = case.spec()
    dtype = torch.float32 if case.dtype == "float32" else torch.bfloat16
    model = blueprint(spec, dtype)
    films = [Film(Size(*case.film[:2]), case.film[2] / 2)] if case.film else []
    pictures = [Size(*case.picture)] if case.picture else []
    talk = talk_of(Wish(pictures, films), published_rules(spec), context=10**6)._replace(
        prompt=read, answer=wrote
    )
    mapped = case.kept == "BF16" and dtype == torch.bfloat16
    packs = dtype == torch.bfloat16 and packs_bfloat16()
    found = phases(model, count(model), talk, case.batch, Lying(dtype, mapped, packs))
    return max(phase.total for phase in found)


@pytest.mark.soak
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize("name", CASES)
def test_the_planned_peak_is_the_measured_one(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    peak, read, wrote = measured(case, tmp_path)
    plan = planned(case, read, wrote)
    print(f"{name}: planned {plan / 1e9:.3f} GB, measured {peak / 1e9:.3f} GB, ratio {plan / peak:.3f}")
    assert 0.9 * peak <= plan <= 1.1 * peak
