"""The verbs that fit a model to a person's own data, and that merge what was learned into its base."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from omma.cli import options as given
from omma.cli.examining import Form, Media
from omma.cli.options import DEFAULT_MODEL, examples
from omma.cli.progress import Steps
from omma.cli.say import aside, rows, say, say_json
from omma.errors import MissingFile, UnknownOption

PARTS = ("vision", "bridge", "decoder")
PAIRS = "Pairs (LoRA)"

Data = Annotated[
    str,
    typer.Option(
        metavar="DATA",
        help="Dialogues to learn from: JSON Lines of messages, LLaVA or ShareGPT lists, shards, parquet.",
        show_default=False,
    ),
]
Test = Annotated[
    str | None,
    typer.Option(
        metavar="DATA", help="Dialogues to judge by; by default a fifth of the data.", show_default=False
    ),
]
Out = Annotated[
    Path,
    typer.Option(
        metavar="FOLDER",
        help="Where the run is kept; the same command goes on with it.",
        show_default=False,
    ),
]
Method = Annotated[
    Literal["auto", "lora", "full"],
    typer.Option(help="lora learns an adapter, full moves the weights; auto is lora."),
]
Learns = Annotated[
    str | None,
    typer.Option(
        metavar="PARTS",
        help="Which parts learn: any of vision,bridge,decoder; by default all of them.",
        show_default=False,
    ),
]


def _of_pairs(words: str, **limits: Any) -> Any:
    """An option that says how an adapter's pairs are made."""
    return typer.Option(help=words, rich_help_panel=PAIRS, show_default=False, **limits)


PublishedName = Annotated[
    Literal["qwen-vl", "qwen3-vl"] | None,
    _of_pairs(
        "Begin from LoRA's published values: qwen-vl has rank 64, alpha 16, dropout 0.05 on the "
        "decoder's query, key, value, out, gate, up, and rate 1e-5; qwen3-vl has 64, 128, 0.05 on attention."
    ),
]
Rank = Annotated[int | None, _of_pairs("Of the adapter's pairs; 16 by default.", min=1, max=4096)]
Alpha = Annotated[float | None, _of_pairs("Pairs count by alpha / rank; twice the rank by default.")]
Dropout = Annotated[
    float | None, _of_pairs("Share of a pair's input that is left out while it learns; 0.05 by default.")
]
Layers = Annotated[
    str | None,
    _of_pairs(
        "Which linear layers of the parts that learn carry pairs, such as query,value; by default all.",
        metavar="NAMES",
    ),
]
Batch = Annotated[
    int | None,
    typer.Option(help="Dialogues in a step; 8 or 16 by default.", min=1, max=65_536, show_default=False),
]
Patience = Annotated[
    int, typer.Option(help="Checks in a row without a gain after which it ends.", min=1, max=1000)
]
Rate = Annotated[
    float | None,
    typer.Option(help="Peak learning rate; by default by the model's width.", show_default=False),
]
Turns = Annotated[
    float | None,
    typer.Option(
        help="How often every dialogue comes up at most; by default 3 to 20, by their number.",
        show_default=False,
    ),
]
Seed = Annotated[
    int, typer.Option(help="Another seed, at most 10^12, deals and learns in another order.", min=0)
]


def enrol(train: typer.Typer) -> None:
    """Put this room's verbs under `omma train`."""
    train.command(
        epilog=examples(
            "omma train tune --data mine.jsonl --out runs/mine",
            "omma train tune --data mine.jsonl --test others.jsonl --learns decoder --out runs/mine",
            "omma train tune --data llava.json --media coco --model Qwen/Qwen2.5-VL-3B-Instruct --out big",
            "omma train tune --data mine.jsonl --published qwen-vl --rate 1e-4 --out runs/mine",
            'omma ask picture.png "Which symbol is this?" --model runs/mine/adapter',
        )
    )(tune)
    train.command(
        epilog=examples(
            "omma train merge runs/mine/adapter --out runs/mine/merged",
            "omma train merge adapter --model Qwen/Qwen2.5-VL-3B-Instruct --dtype float32 --out merged",
        )
    )(merge)


def tune(
    data: Data,
    out: Out,
    model: given.ModelName = DEFAULT_MODEL,
    test: Test = None,
    form: Form = None,
    media: Media = None,
    method: Method = "auto",
    learns: Learns = None,
    rate: Rate = None,
    turns: Turns = None,
    batch: Batch = None,
    patience: Patience = 6,
    published: PublishedName = None,
    rank: Rank = None,
    alpha: Alpha = None,
    dropout: Dropout = None,
    layers: Layers = None,
    seed: Seed = 0,
    device: given.Device = "auto",
    json: given.Json = False,
) -> None:
    """Fit a model to your own data.

    A tenth of the dialogues is held out to stop by and a fifth to judge by,
    before and after. Each answer is judged by its kind: word, number, boxes,
    points, calls or text. The same command goes on with a run that was stopped.
    """
    _prepare(method, media, published=published, rank=rank, alpha=alpha, dropout=dropout, layers=layers)
    from omma.respond import Model
    from omma.train.tune import tune as fit
    from omma.train.tuning import Tuning

    wish = Tuning(
        data, model, test, method, None if learns is None else parts(learns), rank, alpha, dropout,
        None if layers is None else named(layers), published, rate, turns, batch, patience, seed, form, media,
    )  # fmt: skip
    with Heard(quiet=json) as heard:
        told = fit(wish, out, responder_of=Model, listener=heard, device=device)
    _tell(told, out, json=json)


def _prepare(method: str, media: Path | None, **pairs: object) -> None:
    """Refuse what cannot go together or is not there. Raises UnknownOption and MissingFile."""
    if os.environ.get("WORLD_SIZE", "1") != "1":
        raise UnknownOption(
            "a model is fitted by one process, and torchrun began several; leave torchrun out, or write a "
            "recipe with the data as its Lines: recipes run on any number of them"
        )
    said = [name for name, value in pairs.items() if value is not None]
    if said and method == "full":
        raise UnknownOption(
            f"--{said[0]} is of an adapter's pairs, and --method full has none; leave one out"
        )
    if media is not None and not media.is_dir():
        raise MissingFile(f"--media {media}: there is no such folder")


def _tell(form: dict[str, Any], out: Path, *, json: bool) -> None:
    """What a fitting brought, in words and a table, or as JSON."""
    if json:
        say_json(form)
        return
    from omma.train.tune import ASIDE, CURVES
    from omma.train.tune_report import told

    words, table = told(form)
    say(words)
    say(rows(table))
    say(f"learned: {form['folder']}  curves: {out / CURVES}")
    if form["aside"]:
        aside(f"{form['aside']} records were set aside; {out / ASIDE} says why")


def merge(
    adapter: Annotated[
        Path, typer.Argument(metavar="ADAPTER", help="A folder in PEFT's layout.", show_default=False)
    ],
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="A folder, new or empty, to write to.", show_default=False)
    ],
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="The adapter's base; by default the one it names.",
            rich_help_panel=given.MODEL,
            show_default=False,
        ),
    ] = None,
    dtype: given.Dtype = "auto",
    json: given.Json = False,
) -> None:
    """Merge an adapter into its base: a model's folder of its own.

    In bfloat16 a part of a small change is rounded away; how much is said.
    """
    from omma.train.tune_merge import merge_folder

    lost = merge_folder(adapter, out, model=model, dtype=dtype)
    if json:
        say_json({"model": str(out), "lost_to_rounding": round(lost, 4)})
        return
    say(f"the model is in {out}")
    if lost > 0.01:
        aside(f"rounding took {100 * lost:.0f} % of the change; --dtype float32 keeps all of it")


def parts(learns: str) -> tuple[str, ...]:
    """The parts that a comma-separated list names. Raises UnknownOption."""
    if not set(told := named(learns)) <= set(PARTS):
        raise UnknownOption(f"--learns {learns}: wanted any of {','.join(PARTS)}")
    return told


def named(words: str) -> tuple[str, ...]:
    """What a comma-separated list names."""
    return tuple(word.strip() for word in words.split(","))


class Heard:
    """Progress of a fitting: one bar after the other for what is read, answered and learned."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self._shown: Steps | None = None

    def __enter__(self) -> Heard:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def counts(self, doing: str, done: int, total: int | None) -> None:
        """Show how many are done; without a total nothing is worth a bar."""
        if total is not None:
            self._bar(doing, total).count(done, total)

    def step(self, line: Mapping[str, Any], total: int) -> None:
        """Show a line of the log."""
        self._bar("learning", total).take(line)

    def _bar(self, name: str, total: int) -> Steps:
        if self._shown is None or self._shown.name != name:
            self._end()
            self._shown = Steps(name, total, quiet=self.quiet)
            self._shown.__enter__()
        return self._shown

    def _end(self) -> None:
        if self._shown is not None:
            self._shown.__exit__(None, None, None)
            self._shown = None
