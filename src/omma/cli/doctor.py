"""The verb that looks at this machine: what is installed, and whether the model answers right."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

import typer

import omma
from omma.cli import options as given
from omma.cli.options import DEFAULT_MODEL, examples
from omma.cli.say import rows, say, say_json
from omma.errors import OmmaError

HOUSE = "House"
NEEDED = ("torch", "numpy", "pillow", "safetensors", "tokenizers", "typer", "rich")
UNWELL = 1


class Finding(NamedTuple):
    """One thing looked at. `well` False is something that has to be mended."""

    name: str
    what: str
    well: bool = True


def enrol(app: typer.Typer) -> None:
    """Put this room's verb on the program."""
    app.command(rich_help_panel=HOUSE, epilog=examples("omma doctor", "omma doctor --json"))(doctor)


def doctor(
    model: given.ModelName = DEFAULT_MODEL,
    device: given.Device = "auto",
    dtype: given.Dtype = "auto",
    json: given.Json = False,
) -> int:
    """Look at this machine, and ask the model what is known.

    Exit code 1 if something has to be mended.
    """
    looks: list[tuple[str, Callable[[], Finding]]] = [
        ("machine", machine),
        ("computes on", torch_build),
        ("pictures", codecs),
        ("videos", video),
        ("fonts", fonts),
        (model, lambda: known_answer(model, device, dtype)),
    ]
    found = [*packages(), *(look(name, at) for name, at in looks)]
    well = all(finding.well for finding in found)
    if json:
        say_json({"well": well, "findings": [finding._asdict() for finding in found]})
    else:
        say(rows((finding.name, "ok" if finding.well else "WRONG", finding.what) for finding in found))
    return 0 if well else UNWELL


def look(name: str, at: Callable[[], Finding]) -> Finding:
    """Look at one thing; a package without which it cannot be seen is what has to be mended."""
    try:
        return at()
    except ImportError as wrong:
        return Finding(name, f"cannot be looked at: {wrong}", well=False)


def packages() -> list[Finding]:
    """Versions of omma, Python and what the first minute needs."""
    found = [Finding("omma", omma.__version__), Finding("python", platform.python_version())]
    for name in NEEDED:
        try:
            found.append(Finding(name, version(name)))
        except PackageNotFoundError:
            found.append(Finding(name, f"not installed; pip install {name}", well=False))
    return found


def machine() -> Finding:
    """Cores this process may use, and memory."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return Finding("machine", f"{platform.machine()}, {cores} cores, {memory:.0f} GiB of memory")


def torch_build() -> Finding:
    """What torch computes on."""
    import torch

    if torch.cuda.is_available():
        return Finding("computes on", torch.cuda.get_device_name())
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return Finding(
        "computes on",
        f"the processor, {torch.get_num_threads()} threads, bfloat16 {'fast' if fast else 'without help'}",
    )


def codecs() -> Finding:
    """Picture formats that can be decoded."""
    from PIL import features

    kinds = {"jpg": "JPEG", "zlib": "PNG", "webp": "WebP", "avif": "AVIF"}
    missing = [name for code, name in kinds.items() if not features.check(code)]
    said = ", ".join(name for name in kinds.values() if name not in missing)
    return Finding("pictures", f"{said}; without {', '.join(missing)}" if missing else said, not missing)


def video() -> Finding:
    """Videos need an extra; without it everything else works."""
    try:
        return Finding("videos", f"PyAV {version('av')}")
    except PackageNotFoundError:
        return Finding("videos", "cannot be read; pip install 'omma[video]' if they are wanted")


def fonts() -> Finding:
    """Fonts are wanted for drawing training pictures, and for nothing else."""
    from omma.synth.fonts import faces

    count = len(faces())
    return Finding("fonts", f"{count} for drawing" if count else "none; omma data and omma train want some")


def known_answer(model: str, device: str, dtype: str) -> Finding:
    """Draw a picture whose colour is known, ask for it."""
    began = time.monotonic()
    try:
        answer = omma.load(model, device=device, dtype=dtype).ask(
            known_picture(), "What colour is the circle?", max_tokens=30
        )
    except OmmaError as wrong:
        return Finding(model, str(wrong), well=False)
    said = answer.text.strip()
    took = f"{time.monotonic() - began:.1f} s with loading"
    return Finding(model, f"shown a red circle, it says {said!r} ({took})", "red" in said.lower())


def known_picture() -> Any:
    """A red circle on white."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (224, 224), "white")
    ImageDraw.Draw(picture).ellipse((62, 62, 162, 162), fill="red")
    return picture
