"""`omma serve` with a web of its own behind it, so that nothing of a hostile bench reaches a network.

python -m bench.hostile_house --keys keys.toml [--arriving 60] [--head 10] [--fetch 20]
"""

from __future__ import annotations

import argparse
import functools
import json
from pathlib import Path

from bench.own_web import OPEN, Web, moved, page
from omma.host import house
from omma.host.settings import HostSettings, Setup
from omma.serve.connection import Connection
from omma.serve.fetch import Fetcher, FetchLimits
from omma.serve.keys import KeyRing
from omma.serve.settings import Settings

AWAY = "http://169.254.169.254/latest/meta-data/"


def own_web() -> Web:
    """Hosts that redirect, lie, change, compress, and never end."""
    answers = {
        OPEN: page(b"open"),
        "93.184.216.1": moved(AWAY),
        "93.184.216.2": moved("file:///etc/passwd"),
        "93.184.216.3": moved("http://ring.example/"),
        "93.184.216.4": moved("http://changing.example/again"),
        "93.184.216.5": page(b"x" * 50, content_encoding="gzip"),
        "93.184.216.6": [*page(b"", content_length="")[:1], *[bytes(1 << 20)] * 100],
        "93.184.216.8": page(b"<!DOCTYPE html><html></html>", content_type="image/png"),
        "127.0.0.1": page(b"secret"),
    }
    names = {
        "open.example": [[OPEN]],
        "inside.example": [["10.0.0.7"]],
        "both.example": [[OPEN, "127.0.0.1"]],
        "away.example": [["93.184.216.1"]],
        "file.example": [["93.184.216.2"]],
        "ring.example": [["93.184.216.3"]],
        "changing.example": [["93.184.216.4"], ["127.0.0.1"]] * 10_000,
        "gzip.example": [["93.184.216.5"]],
        "endless.example": [["93.184.216.6"]],
        "silent.example": [["93.184.216.7"]],
        "page.example": [["93.184.216.8"]],
    }
    return Web(names, answers, silent={"93.184.216.7"})


def main() -> None:
    """Serve until SIGTERM; the address is said as JSON when the doors are open."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--keys", type=Path, required=True)
    asked.add_argument("--model", default="omma-nano")
    asked.add_argument("--arriving", type=float, default=Settings().arriving)
    asked.add_argument("--head", type=float, default=Connection.head_seconds)
    asked.add_argument("--fetch", type=float, default=FetchLimits().seconds)
    given = asked.parse_args()
    web = own_web()
    Connection.head_seconds = given.head
    setattr(house, "Fetcher", functools.partial(Fetcher, resolve=web.resolve, dial=web.dial))  # noqa: B010
    place = house.House(
        port=0,
        keys=KeyRing.from_file(given.keys),
        fetch=FetchLimits(seconds=given.fetch),
        server=Settings(arriving=given.arriving),
        processes=HostSettings(setup=Setup(given.model)),
    )
    house.run(place, lambda doors: print(json.dumps({"url": doors.url, "walls": doors.walls}), flush=True))


if __name__ == "__main__":
    main()
