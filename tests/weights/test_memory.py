"""A model of three billion parameters takes the memory of its file: loaded, read through, and packed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from omma.model.vlm import Vlm
from omma.presets import preset
from omma.spec import ModelSpec
from omma.weights.config import write_config
from omma.weights.names import public_name, public_shape

LOAD_AND_TOUCH = """
import sys, torch
from pathlib import Path
from omma.engine.packed import PAYS, Packing, lay_out, packable
from omma.model.vlm import Vlm
from omma.weights import load_weights, read_spec

folder = Path(sys.argv[1])
with torch.device("meta"):
    model = Vlm(read_spec(folder))
load_weights(model, folder, dtype=torch.bfloat16)
for weight in model.parameters():
    weight.detach().view(torch.int16).flatten()[::2048].sum()
del weight
if sys.argv[2] == "packed" and packable(model):
    lay_out(model)
    packing = Packing(model)
    for _ in range(PAYS):
        packing.go_on(PAYS)
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


def sparse_folder(folder: Path, spec: ModelSpec, kind: str) -> int:
    """A folder of zeros that takes no room on the disk; how many bytes its weights seem to have."""
    with torch.device("meta"):
        model = Vlm(spec)
    write_config(spec, folder, dtype="bfloat16")
    header: dict[str, object] = {}
    at = 0
    for ours, weight in model.named_parameters():
        end = at + 2 * weight.numel()
        shape = public_shape(ours, tuple(weight.shape), spec)
        header[public_name(ours, spec.family)] = {"dtype": kind, "shape": shape, "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + at)
    return at


@pytest.mark.soak
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize(("kind", "use"), [("BF16", "mapped"), ("F16", "converted"), ("BF16", "packed")])
def test_the_peak_is_the_files_size(kind: str, use: str, tmp_path: Path) -> None:
    size = sparse_folder(tmp_path, preset("qwen2.5-vl-3b"), kind)
    command = [sys.executable, "-c", LOAD_AND_TOUCH, str(tmp_path), use]
    peak = 1024 * int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert peak <= 1.15 * size
