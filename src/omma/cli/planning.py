"""The verb that plans: what a model takes in parameters, tokens and memory, and which machines hold it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omma.cli import options as given
from omma.cli.options import examples
from omma.cli.say import rows, say, say_json
from omma.errors import UnknownModel, UnknownOption

if TYPE_CHECKING:
    from omma.plan.estimate import Kept, Plan, Precision
    from omma.plan.showing import Shown, Wish
    from omma.sample import Size

HOUSE = "House"
SHOW = "What is shown"
LONGEST_SIDE, LONGEST_FILM = 100_000, 86_400
PICTURE = "1280x720"

Name = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="A published model such as qwen2.5-vl-7b, a bundled one, a folder, or a hub name in the cache.",
        show_default=False,
    ),
]
Pictures = Annotated[
    int, typer.Option(metavar="N", help="Pictures in a conversation.", min=0, max=1000, rich_help_panel=SHOW)
]
PictureSides = Annotated[
    str, typer.Option("--picture", metavar="WxH", help="A picture's sides in pixels.", rich_help_panel=SHOW)
]
Film = Annotated[
    str | None,
    typer.Option(
        "--video",
        metavar="WxH@SECONDS",
        help="A video's sides and length, such as 1280x720@60, instead of pictures.",
        rich_help_panel=SHOW,
        show_default=False,
    ),
]
Fps = Annotated[
    float | None,
    typer.Option(
        help="Pictures to take of each second of video.", rich_help_panel=SHOW, min=0.001, show_default=False
    ),
]
Batch = Annotated[int, typer.Option(help="Conversations at once.", min=1, max=100_000, rich_help_panel=SHOW)]
Context = Annotated[
    int | None,
    typer.Option(
        help="Tokens of a conversation, with what is shown and the answer; by default 1,024 beside what is "
        "shown.",
        min=2,
        rich_help_panel=SHOW,
        show_default=False,
    ),
]
Gpu = Annotated[
    list[str] | None,
    typer.Option(
        "--gpu",
        metavar="NAME",
        help="Count this accelerator, such as H100 or RTX-4090; may be given again.",
        show_default=False,
    ),
]


def enrol(app: typer.Typer) -> None:
    """Put this room's verb on the program."""
    app.command(
        rich_help_panel=HOUSE,
        epilog=examples(
            "omma plan qwen2.5-vl-7b",
            "omma plan qwen3-vl-8b --picture 1920x1080 --pictures 4 --batch 8 --gpu H100",
            "omma plan omma-nano --video 640x360@30 --json",
        ),
    )(plan)


def plan(
    model: Name,
    picture: PictureSides = PICTURE,
    pictures: Pictures = 1,
    video: Film = None,
    fps: Fps = None,
    batch: Batch = 1,
    context: Context = None,
    gpu: Gpu = None,
    json: given.Json = False,
) -> None:
    """Tell what a model takes, before it is had.

    Parameters by part, tokens of what is shown, weights and the peak of
    memory in each precision, whether this machine holds that, and how many of
    an accelerator do (weights cut evenly into 1, 2, 4 … parts). Sizes are in
    GB of 10⁹ bytes.
    """
    from omma.plan.estimate import estimate
    from omma.plan.machines import USUAL, accelerator, this_machine

    named = [accelerator(name) for name in gpu or USUAL]
    kept = bring(model)
    if fps is not None and video is None:
        raise UnknownOption(f"--fps {fps:g}: it is for a --video, and there is none")
    if video is not None and (picture, pictures) != (PICTURE, 1):
        raise UnknownOption("--picture and --pictures: a --video is shown instead of them; leave one out")
    wish = wish_of(picture, 0 if video else pictures, video, fps, batch, context)
    told = estimate(kept, wish, named, this_machine(), packs=packs_here())
    if json:
        say_json(plan_form(model, told))
    else:
        _tell(model, told)


def bring(name: str) -> Kept:
    """A model on paper, or a folder's. Raises UnknownModel with the names there are."""
    from omma.loading import resolve
    from omma.plan.estimate import Kept
    from omma.plan.showing import rules_of
    from omma.presets import PRESETS
    from omma.weights import read_dtype, read_spec

    if (spec := PRESETS.get(name.lower())) is not None and not Path(name).is_dir():
        return Kept(spec, rules_of(spec))
    try:
        folder = resolve(name)
    except UnknownModel as wrong:
        raise UnknownModel(f"{wrong}; or a published model: {', '.join(PRESETS)}") from None
    spec = read_spec(folder)
    return Kept(spec, rules_of(spec, folder), str(read_dtype(folder)).removeprefix("torch."))


def packs_here() -> bool:
    """Whether this machine's processor lays bfloat16 weights out anew while it answers."""
    from omma.engine.packed import packs_bfloat16

    return packs_bfloat16()


def wish_of(
    picture: str, pictures: int, video: str | None, fps: float | None, batch: int, context: int | None
) -> Wish:
    """What the options ask to plan for. Raises UnknownOption."""
    from omma.plan.showing import Film as Reel
    from omma.plan.showing import Wish

    sides = _sides("--picture", picture, "wanted WxH such as 1280x720")
    films = []
    if video is not None:
        size, _, seconds = video.partition("@")
        wanted = "wanted WxH@SECONDS such as 1280x720@60"
        length = float(seconds) if re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", seconds) else 0.0
        if not 0 < length <= LONGEST_FILM:
            raise UnknownOption(f"--video {video}: {wanted}, of a day at most")
        films = [Reel(_sides("--video", size, wanted), length)]
    return Wish([sides] * pictures, films, fps, batch, context)


def _sides(option: str, text: str, wanted: str) -> Size:
    from omma.sample import Size

    found = re.fullmatch(r"([0-9]{1,6})[x×]([0-9]{1,6})", text)
    size = Size(int(found[1]), int(found[2])) if found else Size(0, 0)
    if not 1 <= min(size) <= max(size) <= LONGEST_SIDE:
        raise UnknownOption(f"{option} {text}: {wanted}, of 1 to {LONGEST_SIDE:,} pixels a side")
    return size


def plan_form(model: str, told: Plan) -> dict[str, Any]:
    """A plan as JSON has it: numbers of parameters, tokens and bytes."""
    talk, parameters = told.talk, told.parameters
    return {
        "model": model,
        "dtype": told.dtype,
        "parameters": {"total": parameters.total, **parameters._asdict()},
        "kv_bytes_per_token": told.kv,
        "conversation": {
            "batch": told.batch,
            "tokens": talk.tokens,
            "visual_tokens": talk.visual,
            "prompt_tokens": talk.prompt,
            "answer_tokens": talk.answer,
            "shown": [_shown_form(one) for one in talk.shown],
        },
        "memory": {"total": told.machine.total, "free": told.machine.free},
        "precisions": [_precision_form(one) for one in told.precisions],
    }


def _shown_form(one: Shown) -> dict[str, Any]:
    return {
        "original": list(one.original),
        "resized": list(one.resized),
        "frames": one.frames,
        "grid": list(one.grid),
        "tokens": one.tokens,
    }


def _precision_form(one: Precision) -> dict[str, Any]:
    return {
        "name": one.name,
        "weights": one.weights,
        "peak": one.peak,
        "phases": [phase._asdict() | {"total": phase.total} for phase in one.phases],
        "fits_here": one.here,
        "accelerators": {count.accelerator.name: count.number for count in one.counts},
    }


def _tell(model: str, told: Plan) -> None:
    parameters, talk = told.parameters, told.talk
    say(f"{model}  {parameters.total:,} parameters")
    parts = {
        "vision tower": parameters.tower,
        "bridge": parameters.bridge,
        "embeddings": parameters.embedding,
        "decoder layers": parameters.layers,
        "head": parameters.head,
    }
    table = [[f"  {name}", _millions(size) if size else "the embeddings"] for name, size in parts.items()]
    if parameters.active != parameters.total:
        table.append(["  at work for a token", _millions(parameters.active)])
    say(rows(table))
    say()
    many = f"{told.batch} conversations, each of" if told.batch > 1 else "A conversation of"
    say(f"{many} {talk.tokens:,} tokens: {_showing(talk.shown)}{talk.tokens - talk.visual:,} of words")
    say(f"Keys and values: {told.kv:,} bytes a token in bfloat16")
    say()
    names = [count.accelerator for count in told.precisions[0].counts]
    head = ["GB", "weights", "peak", "here", *(f"{one.name} ({one.memory / 1e9:.0f})" for one in names)]
    say(rows([head, *(_line(one, len(names)) for one in told.precisions)]))
    say()
    free, whole = told.machine.free / 1e9, told.machine.total / 1e9
    say(f"This machine has {free:.1f} GB free of {whole:.1f} GB. Under an accelerator: how many hold it.")


def _showing(shown: tuple[Shown, ...]) -> str:
    if not shown:
        return ""
    one = shown[0]
    sides = f"{one.resized.width}×{one.resized.height}"
    tokens = sum(each.tokens for each in shown)
    if one.frames > 1:
        return f"{tokens:,} of a video ({one.frames} frames of {sides}), "
    what = "a picture" if len(shown) == 1 else f"{len(shown)} pictures"
    return f"{tokens:,} of {what} ({sides}), "


def _line(one: Precision, counts: int) -> list[str]:
    if one.peak is None:
        return [one.name, _gigabytes(one.weights), *["–"] * (2 + counts)]
    here = "yes" if one.here else "no"
    numbers = [str(count.number) if count.number else "none" for count in one.counts]
    return [one.name, _gigabytes(one.weights), _gigabytes(one.peak), here, *numbers]


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2f}" if size < 1e10 else f"{size / 1e9:.1f}"


def _millions(size: int) -> str:
    return f"{size / 1e6:,.1f} M"
