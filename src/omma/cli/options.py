"""The options that verbs share: which model, how to answer, how to show the result."""

from __future__ import annotations

from typing import Annotated, Any

import typer

MODEL = "Model"
ANSWER = "Answer"
OUTPUT = "Output"

ModelName = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="A bundled model, a folder, or a hub name in the local cache.",
        rich_help_panel=MODEL,
    ),
]
Connect = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Ask a server of OpenAI's form instead; its key is read from OMMA_KEY.",
        rich_help_panel=MODEL,
        show_default=False,
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.", rich_help_panel=MODEL)]
Dtype = Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16.", rich_help_panel=MODEL)]
MaxTokens = Annotated[
    int | None, typer.Option(help="Stop after this many tokens.", rich_help_panel=ANSWER, show_default=False)
]
Temperature = Annotated[
    float | None,
    typer.Option(help="0 is greedy; higher is bolder.", rich_help_panel=ANSWER, show_default=False),
]
TopP = Annotated[
    float | None,
    typer.Option(
        help="Draw from the likeliest tokens of this share.", rich_help_panel=ANSWER, show_default=False
    ),
]
TopK = Annotated[
    int | None,
    typer.Option(
        help="Draw from this many likeliest tokens; 0 is all.", rich_help_panel=ANSWER, show_default=False
    ),
]
Seed = Annotated[
    int | None, typer.Option(help="Makes draws repeatable.", rich_help_panel=ANSWER, show_default=False)
]
Stop = Annotated[
    list[str] | None,
    typer.Option(
        help="End the answer before this text; may be given again.",
        rich_help_panel=ANSWER,
        show_default=False,
    ),
]
KeepLoops = Annotated[
    bool,
    typer.Option(
        "--keep-loops",
        help="Do not end an answer that goes round in a circle.",
        rich_help_panel=ANSWER,
    ),
]
System = Annotated[
    str | None,
    typer.Option(help="What the model is told about its role.", rich_help_panel=ANSWER, show_default=False),
]
MaxPixels = Annotated[
    int | None,
    typer.Option(
        help="Shrink a picture to at most this area, in pixels.", rich_help_panel=ANSWER, show_default=False
    ),
]
Fps = Annotated[
    float | None,
    typer.Option(
        help="Pictures to take of each second of video.", rich_help_panel=ANSWER, show_default=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON object.", rich_help_panel=OUTPUT)]
Draw = Annotated[
    str | None,
    typer.Option(
        help="Write a copy of the picture with what was found drawn on it.",
        metavar="FILE",
        rich_help_panel=OUTPUT,
        show_default=False,
    ),
]
Inside = Annotated[
    bool,
    typer.Option(
        "--inside",
        help="Hold the answer to places in the picture, whatever the model would say.",
        rich_help_panel=ANSWER,
    ),
]
Picture = Annotated[str, typer.Argument(metavar="PICTURE", help="A picture file.", show_default=False)]

DEFAULT_MODEL = "omma-nano"


def wishes(**named: Any) -> dict[str, Any]:
    """Those options that were given."""
    return {name: value for name, value in named.items() if value not in (None, [], ())}


def examples(*commands: str) -> str:
    """The end of a help page: commands that work as they stand."""
    return "\n".join(["[bold]Examples[/bold]", *(f"  {command}".replace("[", r"\[") for command in commands)])
