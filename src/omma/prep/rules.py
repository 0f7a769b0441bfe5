"""How pictures and videos are brought to the tower: sizes, limits and colours, and the files that say so."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omma.errors import BadFolder
from omma.prep.pace import Pace
from omma.spec import ModelSpec, VisionSpec

CELL = 28 * 28


@dataclass(frozen=True)
class PictureRules:
    """Limits are areas in pixels; `fps` in frames a second (facts §6.2–6.4, the published folders' values).

    A video's frames lie between `frame_min_pixels` and `frame_max_pixels`; all of them together take at most
    nine tenths of `video_tokens`, as far as the lower limit of a frame allows. With a `side` every picture is
    squashed to so many pixels a side, and videos are not seen. With a `volume` all frames of a video share it
    instead: frames · height · width lies between these two, and their number need not be even. With a `pace`
    the frames a second follow a video's motion and length, and `fps` is that of a list of pictures.
    """

    patch: int = 14
    temporal: int = 2
    merge: int = 2
    mean: tuple[float, float, float] = (0.48145466, 0.4578275, 0.40821073)
    std: tuple[float, float, float] = (0.26862954, 0.26130258, 0.27577711)
    min_pixels: int = 4 * CELL
    max_pixels: int = 16_384 * CELL
    fps: float = 2.0
    min_frames: int = 4
    max_frames: int = 768
    frame_min_pixels: int = 128 * CELL
    frame_max_pixels: int = 768 * CELL
    video_tokens: int = 128_000
    side: int | None = None
    volume: tuple[int, int] | None = None
    pace: Pace | None = None

    def rate(self, motion: float, seconds: float) -> float:
        """Frames a second to take of a video so long, in which so much moves (`pace.Pace`)."""
        return self.fps if self.pace is None else self.pace.rate(motion, seconds, self.max_frames)

    @property
    def factor(self) -> int:
        """The side of a merged cell in pixels."""
        return self.patch * self.merge


PUBLISHED = PictureRules()
PICTURE_FILE, VIDEO_FILE = "preprocessor_config.json", "video_preprocessor_config.json"
TOGETHER_FILE = "processor_config.json"  # where transformers 5 saves both
# Our names and those of the public files, where a number is simply a number.
PUBLIC = {"patch": "patch_size", "temporal": "temporal_patch_size", "merge": "merge_size"}
PACE = "omma_pace"  # a setting of ours: the public files have no word for it
# What the public files can say of how pictures are brought to rows, and is done in this one way here.
DONE = {"do_resize": True, "do_rescale": True, "do_normalize": True, "resample": 3, "rescale_factor": 1 / 255}
PUBLIC_VIDEO = {"fps": "fps", "min_frames": "min_frames", "max_frames": "max_frames"}


def square_rules(vision: VisionSpec) -> PictureRules | None:
    """The rules of a tower for pictures of one size, which no file says (facts §6.1); None for any other."""
    if vision.side is None:
        return None
    area = vision.side**2
    return PictureRules(
        patch=vision.patch,
        temporal=vision.temporal,
        merge=vision.merge,
        min_pixels=area,
        max_pixels=area,
        side=vision.side,
    )


NEW_CELL = 32 * 32
QWEN3 = PictureRules(
    patch=16,
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
    min_pixels=64 * NEW_CELL,
    max_pixels=16_384 * NEW_CELL,
    volume=(4 * NEW_CELL, 24_576 * NEW_CELL),
)


# From 224 to 1024 pixels a side, counted as areas; 1 to 32 frames at 5 to 60 a second.
DESCRIBED = PictureRules(
    min_pixels=224**2,
    max_pixels=1024**2,
    fps=5.0,
    min_frames=1,
    max_frames=32,
    frame_min_pixels=224**2,
    frame_max_pixels=1024**2,
    pace=Pace(slowest=5.0, fastest=60.0),
)


def published_rules(spec: ModelSpec) -> PictureRules:
    """The rules in the folders of a model's family."""
    match spec.family:
        case "qwen3-vl" | "qwen3-vl-moe":
            return QWEN3
        case "described":
            return DESCRIBED
        case _:
            return PUBLISHED


def read_rules(folder: Path, published: PictureRules = PUBLISHED) -> PictureRules:
    """The rules of a model's folder. What its files do not say is as in the `published` folders.

    Limits are read in both spellings, ``min_pixels`` and ``size.shortest_edge`` (an area, facts §6.2).
    Raises BadFolder naming the folder and the setting.
    """
    picture = _read(folder / PICTURE_FILE) or _read(folder / TOGETHER_FILE, "image_processor")
    video = _read(folder / VIDEO_FILE) or _read(folder / TOGETHER_FILE, "video_processor")
    for settings in (picture, video):
        _check_done(settings, folder)
    found: dict[str, Any] = {ours: picture.get(theirs) for ours, theirs in PUBLIC.items()}
    found |= {ours: video.get(theirs) for ours, theirs in PUBLIC_VIDEO.items()}
    found |= {"mean": picture.get("image_mean"), "std": picture.get("image_std")}
    found["min_pixels"], found["max_pixels"] = _limits(picture, folder)
    least, most = _limits(video, folder)
    if published.volume is None:
        found |= {"frame_min_pixels": least, "frame_max_pixels": most}
        found["video_tokens"] = video.get("max_video_tokens")
    elif video.get("cap_pixels_per_frame"):
        raise BadFolder(f"{folder}: cap_pixels_per_frame is not built here for this model; wanted false")
    known: dict[str, Any] = {name: value for name, value in found.items() if value is not None}
    rules = replace(published, **{name: _checked(name, value, folder) for name, value in known.items()})
    if rules.volume is not None:
        sides = (rules.volume[0] if least is None else least, rules.volume[1] if most is None else most)
        least, most = (_checked("volume", side, folder) for side in sides)
        rules = replace(rules, volume=(least, most))
        if least > most:
            raise BadFolder(f"{folder}: the processors' least volume is over their greatest; swap the two")
    if PACE in video:
        rules = replace(rules, pace=_pace(video[PACE], folder))
    if rules.min_pixels > rules.max_pixels or rules.frame_min_pixels > rules.frame_max_pixels:
        raise BadFolder(f"{folder}: the processors' least area is over their greatest; swap the two")
    return rules


def write_rules(rules: PictureRules, folder: Path, processor: str = "Qwen2_5_VLProcessor") -> None:
    """Write preprocessor_config.json and video_preprocessor_config.json in the public form.

    `processor` is the name of the public class that reads them.
    """
    shared = {theirs: getattr(rules, ours) for ours, theirs in PUBLIC.items()}
    shared |= {
        "image_mean": list(rules.mean),
        "image_std": list(rules.std),
        "processor_class": processor,
    }
    picture = shared | {
        "image_processor_type": "Qwen2VLImageProcessor",
        "min_pixels": rules.min_pixels,
        "max_pixels": rules.max_pixels,
        "size": {"shortest_edge": rules.min_pixels, "longest_edge": rules.max_pixels},
    }
    least, most = rules.volume or (rules.frame_min_pixels, rules.frame_max_pixels)
    video = shared | {"size": {"shortest_edge": least, "longest_edge": most}}
    if rules.pace is not None:  # a class that no other program has: none may take frames at another pace
        kind, capped = "OmmaVideoProcessor", {"max_video_tokens": rules.video_tokens}
        video[PACE] = [rules.pace.slowest, rules.pace.fastest]
    elif rules.volume is None:
        kind, capped = "Qwen2VLVideoProcessor", {"max_video_tokens": rules.video_tokens}
    else:
        kind, capped = "Qwen3VLVideoProcessor", {}
    video |= {"video_processor_type": kind, "cap_pixels_per_frame": bool(capped), **capped}
    video |= {theirs: getattr(rules, ours) for ours, theirs in PUBLIC_VIDEO.items()}
    for name, settings in ((PICTURE_FILE, picture), (VIDEO_FILE, video)):
        (folder / name).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _read(path: Path, key: str | None = None) -> dict[str, Any]:
    """A file's settings, or those under `key` of it; none when there is no such file."""
    if not path.exists():
        return {}
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadFolder(f"{path} cannot be read: {error}") from error
    if isinstance(raw, dict) and key is not None:
        raw = raw.get(key) or {}
    if not isinstance(raw, dict):
        raise BadFolder(f"{path} holds {type(raw).__name__}; wanted an object")
    return raw


def _check_done(settings: dict[str, Any], folder: Path) -> None:
    """Refuse a processor that would make other numbers of the same picture."""
    for name, done in DONE.items():
        value = settings.get(name, done)
        near = isinstance(value, (bool, int, float)) and abs(value - done) < 1e-9
        if value is not None and not near:
            wanted = done if isinstance(done, (bool, int)) else f"1/{1 / done:g}"
            raise BadFolder(
                f"{folder}: the processors' {name} is {value!r}, which is not done here; wanted {wanted}"
            )


def _checked(name: str, value: Any, folder: Path) -> Any:
    """The value as the rule of this name wants it."""
    numbers = value if isinstance(value, list) else [value]
    sound = all(isinstance(n, (int, float)) and not isinstance(n, bool) and 0 <= n < 1e12 for n in numbers)
    if name in ("mean", "std"):
        if sound and len(numbers) == 3 and (name == "mean" or all(numbers)):
            return tuple(map(float, numbers))
        raise BadFolder(f"{folder}: the processors' {name} is {value!r}; wanted three numbers over zero")
    if isinstance(value, list) or not sound or not value or (name != "fps" and value != int(value)):
        raise BadFolder(f"{folder}: the processors' {name} is {value!r}; wanted a number over zero")
    return float(value) if name == "fps" else int(value)


def _pace(raw: Any, folder: Path) -> Pace:
    """The slowest and the fastest rate."""
    sides = raw if isinstance(raw, list) else []
    sound = len(sides) == 2 and all(type(side) in (int, float) and 0 < side < 1e4 for side in sides)
    if not sound or sides[0] > sides[1]:
        raise BadFolder(
            f"{folder}: the processors' {PACE} is {raw!r}; wanted the slowest and the fastest frames a second"
        )
    return Pace(*map(float, sides))


def _limits(raw: dict[str, Any], folder: Path) -> tuple[Any, Any]:
    """The least and the greatest area, in either spelling."""
    size = raw.get("size") or {}
    if not isinstance(size, dict):
        raise BadFolder(f"{folder}: the processors' size is {size!r}; wanted shortest_edge and longest_edge")
    said = size | {key: value for key, value in raw.items() if value is not None}
    least = said.get("min_pixels", said.get("shortest_edge"))
    most = said.get("max_pixels", said.get("longest_edge"))
    return least, most
