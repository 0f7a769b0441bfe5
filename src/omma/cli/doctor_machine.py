"""What the doctor sees of a machine: packages, codecs, fonts, memory, disk, and what computes."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal, NamedTuple

import omma

NEEDED = ("torch", "numpy", "pillow", "safetensors", "tokenizers", "huggingface-hub", "typer", "rich")
LITTLE_DISK, LITTLE_MEMORY = 2 * 10**9, 10**9  # bytes free


class Finding(NamedTuple):
    """One thing looked at: ok, warn (worth knowing) or bad (to be mended), and what to do."""

    name: str
    state: Literal["ok", "warn", "bad"]
    what: str
    to_do: str = ""


def machine_looks() -> list[tuple[str, Callable[[], Finding]]]:
    """The looks at this machine, by name."""
    return [
        ("processor", processor),
        ("memory", memory),
        ("disk", disk),
        ("computes on", computes_on),
        ("pictures", codecs),
        ("videos", video),
        ("fonts", fonts),
    ]


def packages() -> list[Finding]:
    """Versions of omma, Python and what the first minute needs."""
    found = [Finding("omma", "ok", omma.__version__), Finding("python", "ok", platform.python_version())]
    for name in NEEDED:
        try:
            found.append(Finding(name, "ok", version(name)))
        except PackageNotFoundError:
            found.append(Finding(name, "bad", "not installed", f"pip install {name}"))
    return found


def processor() -> Finding:
    """The processor's kind, and the cores this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Finding("processor", "ok", f"{platform.machine()}, {cores} cores")


def memory() -> Finding:
    """How much there is, and how much of it is free."""
    from omma.plan.machines import this_machine

    here = this_machine()
    said = f"{here.free / 1e9:.1f} GB free of {here.total / 1e9:.1f} GB"
    if here.free < LITTLE_MEMORY:
        return Finding("memory", "warn", said, "end other programs, or plan with omma plan")
    return Finding("memory", "ok", said)


def disk() -> Finding:
    """What is free where models are kept."""
    from omma.hub import default_cache

    place = default_cache()
    here = next(folder for folder in (place, *place.absolute().parents) if folder.exists())
    free = shutil.disk_usage(here).free
    said = f"{free / 1e9:.1f} GB free where models are kept ({place})"
    if free < LITTLE_DISK:
        return Finding("disk", "warn", said, "make room before omma pull")
    return Finding("disk", "ok", said)


def computes_on() -> Finding:
    """What torch computes on."""
    import torch

    from omma.train.numbers import halves_gain

    if torch.cuda.is_available():
        free, whole = torch.cuda.mem_get_info()
        name = torch.cuda.get_device_name()
        return Finding("computes on", "ok", f"{name}, {free / 1e9:.1f} GB free of {whole / 1e9:.1f} GB")
    threads = torch.get_num_threads()
    counted = "1 thread" if threads == 1 else f"{threads} threads"
    said = f"the processor, {counted}, bfloat16 {'fast' if halves_gain() else 'no faster than float32'}"
    return Finding("computes on", "ok", said)


def codecs() -> Finding:
    """Picture formats that can be decoded."""
    from PIL import features

    kinds = {"jpg": "JPEG", "zlib": "PNG", "webp": "WebP", "avif": "AVIF"}
    missing = [name for code, name in kinds.items() if not features.check(code)]
    said = ", ".join(name for name in kinds.values() if name not in missing)
    if missing:
        return Finding("pictures", "bad", f"{said}; without {', '.join(missing)}", "pip install -U pillow")
    return Finding("pictures", "ok", said)


def video() -> Finding:
    """Videos need an extra; without it everything else works."""
    try:
        return Finding("videos", "ok", f"PyAV {version('av')}")
    except PackageNotFoundError:
        return Finding("videos", "warn", "cannot be read", "pip install 'omma[video]' if they are wanted")


def fonts() -> Finding:
    """Fonts are wanted for drawing training pictures, and for nothing else."""
    from omma.synth.fonts import faces

    if count := len({Path(str(face)) for face in faces()}):
        return Finding("fonts", "ok", f"{count} for drawing")
    return Finding("fonts", "warn", "none", "omma data make and omma train want some, such as fonts-dejavu")
