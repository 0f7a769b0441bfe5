"""The verb that serves a model over HTTP, with a page to look at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omma.cli import options as given
from omma.cli.options import DEFAULT_MODEL, MODEL, OUTPUT, examples
from omma.cli.say import say, say_json
from omma.errors import UnknownOption

if TYPE_CHECKING:
    from omma.host.house import HouseDesk, Open
    from omma.host.settings import HostSettings
    from omma.serve.fetch import FetchLimits
    from omma.serve.keys import KeyRing

SERVE = "Serve"
WHO, WHERE, INSIDE = "Who may come in", "Where", "Inside"
GIB = 1 << 30

Host = Annotated[
    str,
    typer.Option(
        help="The address to listen at; others than this machine's need a key.", rich_help_panel=WHERE
    ),
]
Port = Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.", rich_help_panel=WHERE)]
KeyText = Annotated[
    str | None,
    typer.Option(
        "--key",
        envvar="OMMA_KEY",
        help="Ask everyone for this key (16 letters or more).",
        rich_help_panel=WHO,
        show_default=False,
        show_envvar=True,
    ),
]
KeyFile = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="A TOML file of keys, whose they are, and what each may use (docs/http.md).",
        rich_help_panel=WHO,
        show_default=False,
    ),
]
AllowFetch = Annotated[
    bool,
    typer.Option(
        "--allow-fetch",
        help="Fetch pictures from the open web where a request names them.",
        rich_help_panel=WHO,
    ),
]
FetchFrom = Annotated[
    list[str] | None,
    typer.Option(
        metavar="HOST",
        help="Fetch from this host alone, or *.HOST; may be given again.",
        rich_help_panel=WHO,
        show_default=False,
    ),
]
Name = Annotated[
    str | None,
    typer.Option(help="What requests call the model.", rich_help_panel=INSIDE, show_default=False),
]
Replicas = Annotated[
    int,
    typer.Option(min=1, max=64, help="Processes that answer, each with the model.", rich_help_panel=INSIDE),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="Put the replicas on a Ray cluster: its address, or 'local' for one on this machine.",
        rich_help_panel=INSIDE,
        show_default=False,
    ),
]
WorkersMemory = Annotated[
    float | None,
    typer.Option(
        min=0.25,
        metavar="GIB",
        help="Replace a process that holds more memory.",
        rich_help_panel=INSIDE,
        show_default=False,
    ),
]
Invariant = Annotated[
    bool,
    typer.Option(
        "--invariant",
        help="Answers do not depend on who else asks, to the last bit; slower.",
        rich_help_panel=INSIDE,
    ),
]
Adapter = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER", help="An adapter to put on the model.", rich_help_panel=MODEL, show_default=False
    ),
]
Traces = Annotated[
    str | None,
    typer.Option(
        "--traces",
        metavar="URL",
        help="Send OpenTelemetry traces to this OTLP address.",
        rich_help_panel=OUTPUT,
        show_default=False,
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", help="No line of log for each request.", rich_help_panel=OUTPUT)
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Say where it listens as one JSON object.", rich_help_panel=OUTPUT)
]


def enrol(app: typer.Typer) -> None:
    """Put this room's verb on the program."""
    app.command(
        rich_help_panel=SERVE,
        epilog=examples(
            "omma serve",
            "omma serve --model Qwen/Qwen2.5-VL-3B-Instruct --replicas 2",
            "omma serve --host 0.0.0.0 --key-file keys.toml",
        ),
    )(serve)


def serve(
    model: given.ModelName = DEFAULT_MODEL,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    key: KeyText = None,
    key_file: KeyFile = None,
    allow_fetch: AllowFetch = False,
    fetch_from: FetchFrom = None,
    name: Name = None,
    replicas: Replicas = 1,
    ray: Cluster = None,
    workers_memory: WorkersMemory = None,
    invariant: Invariant = False,
    adapter: Adapter = None,
    device: given.Device = "auto",
    dtype: given.Dtype = "auto",
    traces: Traces = None,
    quiet: Quiet = False,
    json: AsJson = False,
) -> None:
    """Serve a model over HTTP in OpenAI's form, with a page at /.

    Media are decoded in processes without files and network, and answers are
    written in others; if one dies, those inside are told to ask again, and
    the next takes its place. Ctrl-C finishes what is under way.
    """
    from omma.host.house import House, run
    from omma.host.settings import HostSettings, Setup
    from omma.serve.lines import log_to_stderr

    keys, fetch = _keys(key, key_file), _fetching(allow_fetch, fetch_from)
    setup = Setup(model, name, device, dtype, adapter, invariant=invariant)
    processes = HostSettings(setup, replicas=replicas, memory=_bytes(workers_memory))
    house = House(host, port, keys, fetch=fetch, processes=processes, traces=traces)
    if ray is not None:
        house = replace(house, desk=_on_ray(ray))
    log_to_stderr(quiet=quiet)
    run(house, _say_json if json else _say)
    if not json:
        say("stopped; all that was under way has ended")


def _bytes(gibibytes: float | None) -> int | None:
    """None is as many as it takes."""
    return None if gibibytes is None else int(gibibytes * GIB)


def _keys(key: str | None, key_file: str | None) -> KeyRing:
    """Who may come in."""
    from omma.serve.keys import SHORTEST, KeyRing

    if key and key_file is not None:
        raise UnknownOption("--key and --key-file say who may come in twice; give one of them")
    if key and (len(key) < SHORTEST or not key.isascii()):
        raise UnknownOption(f"the key has {len(key)} letters; wanted {SHORTEST} ASCII letters or more")
    if key_file is not None:
        return KeyRing.from_file(Path(key_file))
    return KeyRing.of({key: "key"} if key else {})


def _fetching(allowed: bool, hosts: list[str] | None) -> FetchLimits | None:
    """What may be fetched; None is nothing."""
    from omma.serve.fetch import FetchLimits

    if hosts:
        return FetchLimits(hosts=frozenset(host.lower() for host in hosts))
    return FetchLimits() if allowed else None


def _on_ray(cluster: str) -> Callable[[HostSettings], HouseDesk]:
    """What stands behind the server, on a cluster of many machines."""
    from omma.scale.serve_ray import hosts_on_ray

    return hosts_on_ray(None if cluster == "local" else cluster)


def _say(doors: Open) -> None:
    say(f"{doors.model} answers at {doors.url}/v1; the page is {doors.url}/")
    if doors.walls:
        say(f"media are decoded apart; {'; '.join(doors.walls)}")
    say("Ctrl-C stops it")


def _say_json(doors: Open) -> None:
    say_json({"url": doors.url, "api": f"{doors.url}/v1", "model": doors.model, "walls": doors.walls})
