"""Answers a second at 1, 8 and 32 clients: omma's server beside transformers' batches and llama.cpp's server.

    python -m bench.serving --llama FOLDER    FOLDER is a built llama.cpp; its rows are left out without one
    python -m bench.serving --toy             toy shapes, to try the bench itself; writes nothing

Every peer has the same weights, prompts and number of tokens to write; one runs at a time.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.results import Table
from bench.speed import SUBJECTS, TOYS, Subject

CLIENTS = (1, 8, 32)
AGAINST_TRANSFORMERS = 2.0  # times as fast, at every number of clients
AGAINST_LLAMA = {1: 0.8, 8: 1.2, 32: 1.2}
PATIENCE = 600  # seconds for a server to stand, and for a round of answers


@dataclass(frozen=True)
class Round:
    """What one peer did with so many clients: tokens a second over all of them, and tokens of one prompt."""

    speed: float
    prompt: int


Rounds = dict[int, Round] | str  # by number of clients, or why there is none


def prompts(clients: int, again: int) -> list[str]:
    """As many questions of one length; none begins as another does, and none comes `again`."""
    first = 10_000 * (1 + again) + 100 * clients
    return [
        f"{number} is the number of this question. What is in the picture number {number}? "
        for number in range(first, first + clients)
    ]


def main() -> int:
    """Measure all three, compare, publish."""
    parser = argparse.ArgumentParser(prog="python -m bench.serving", description=__doc__)
    parser.add_argument("--llama", type=Path, help="folder of a built llama.cpp")
    parser.add_argument("--tokens", type=int, default=64, help="tokens of an answer")
    parser.add_argument("--toy", action="store_true", help="toy shapes; writes nothing")
    wish = parser.parse_args()
    subject = TOYS[0] if wish.toy else next(one for one in SUBJECTS if one.shape and one.stages)
    prepare(subject)
    threads = len(os.sched_getaffinity(0))
    ours = served(lambda port: omma_server(subject.folder, port), wish.tokens)
    theirs = in_batches(subject.folder, wish.tokens, threads)
    cpp = (
        served(lambda port: llama_server(wish.llama, subject.folder, port, wish.tokens, threads), wish.tokens)
        if wish.llama
        else "no folder of llama.cpp was named"
    )
    beside = " --llama FOLDER" if wish.llama else ""
    table = Table("serving", f"python -m bench.serving --tokens {wish.tokens}{beside}")
    tell(table, subject.name, ours, theirs, cpp)
    table.show()
    if not wish.toy:
        table.write()
    return table.exit_code


def tell(table: Table, name: str, ours: Rounds, theirs: Rounds, cpp: Rounds) -> None:
    """Two rows for each number of clients: beside transformers, and beside llama.cpp."""
    if isinstance(ours, str):
        table.row(name, None, met=False, note=f"omma failed: {ours}")
        return
    for clients, mine in ours.items():
        for peer, rounds, least in (
            ("transformers", theirs, AGAINST_TRANSFORMERS),
            ("llama.cpp", cpp, AGAINST_LLAMA[clients]),
        ):
            title = f"{name}: {clients} at once, beside {peer}"
            if isinstance(rounds, str):
                table.row(title, mine.speed, "tokens/s", note=f"no {peer}: {rounds}")
                continue
            other = rounds[clients]
            times = mine.speed / other.speed
            same = (
                "" if other.prompt == mine.prompt else f"; prompts of {mine.prompt} and {other.prompt} tokens"
            )
            table.row(
                title,
                mine.speed,
                "tokens/s",
                goal=f"≥ {least} times",
                met=times >= least,
                peer=other.speed,
                note=f"{times:.2f} times as many{same}",
            )


def prepare(subject: Subject) -> None:
    """Write the random weights if they are not there."""
    if not subject.folder.exists() and subject.shape:
        subject.folder.parent.mkdir(parents=True, exist_ok=True)
        words = [sys.executable, "-m", "bench.checkpoints", subject.shape, str(subject.folder)]
        subprocess.run(words, check=True)


def omma_server(folder: Path, port: int) -> list[str]:
    """Our server on these weights."""
    return [sys.executable, "-m", "omma", "serve", "--model", str(folder), "--port", str(port)]


def llama_server(llama: Path, folder: Path, port: int, tokens: int, threads: int) -> list[str]:
    """llama.cpp's server on the same weights, converted by its own program the first time."""
    weights = folder.with_suffix(".gguf")
    if not weights.exists():
        subprocess.run(
            [sys.executable, "-m", "bench.gguf", str(llama), str(folder), str(weights)], check=True
        )
    program = next(llama.glob("build/bin/llama-server"))
    room = max(CLIENTS) * (256 + tokens)
    many = ["-np", str(max(CLIENTS)), "-c", str(room), "-t", str(threads), "-tb", str(threads)]
    return [str(program), "-m", str(weights), "--port", str(port), *many, "--no-webui"]


def served(command: Callable[[int], list[str]], tokens: int) -> Rounds:
    """Rounds of a server that speaks OpenAI's form."""
    try:
        with standing(command) as address:
            return {clients: one_round(address, clients, tokens) for clients in CLIENTS}
    except (OSError, RuntimeError, subprocess.CalledProcessError, httpx.HTTPError, StopIteration) as wrong:
        return f"{type(wrong).__name__}: {wrong}"


@contextmanager
def standing(command: Callable[[int], list[str]]) -> Iterator[str]:
    """A server while it is asked; it is stopped however that ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = command(port)
    print(f"starting {' '.join(words[:4])} …", file=sys.stderr)
    server = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    address = f"http://127.0.0.1:{port}"
    try:
        until_ready(server, address)
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def until_ready(server: subprocess.Popen[bytes], address: str) -> None:
    """Wait until it answers a short question. Raises RuntimeError when it ends instead."""
    by = time.monotonic() + PATIENCE
    while time.monotonic() < by:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with {server.returncode} before it stood")
        try:
            if ask(address, "One, two.", 2)[0]:
                return
        except httpx.HTTPError:
            time.sleep(0.5)
    raise RuntimeError(f"the server did not stand after {PATIENCE} seconds")


def ask(address: str, words: str, tokens: int) -> tuple[int, int]:
    """Tokens written and read of one answer."""
    body = {
        "messages": [{"role": "user", "content": words}],
        "max_tokens": tokens,
        "temperature": 0,
    }
    reply = httpx.post(f"{address}/v1/chat/completions", json=body, timeout=PATIENCE)
    usage = reply.raise_for_status().json()["usage"]
    return usage["completion_tokens"], usage["prompt_tokens"]


def one_round(address: str, clients: int, tokens: int) -> Round:
    """All clients ask at once; the round is over when the last has its answer. The first of two warms up."""
    for again in range(2):
        began = time.perf_counter()
        with ThreadPoolExecutor(clients) as crowd:
            told = list(crowd.map(lambda words: ask(address, words, tokens), prompts(clients, again)))
        spent = time.perf_counter() - began
    print(f"{clients} clients: {sum(count for count, _ in told)} tokens in {spent:.1f} s", file=sys.stderr)
    return Round(sum(count for count, _ in told) / spent, told[0][1])


def in_batches(folder: Path, tokens: int, threads: int) -> Rounds:
    """Rounds of transformers, which takes each as one batch."""
    print("starting transformers …", file=sys.stderr)
    job = {
        "folder": str(folder),
        "tokens": tokens,
        "threads": threads,
        "prompts": {clients: prompts(clients, 1) for clients in CLIENTS},
    }
    done = run([sys.executable, "-m", "bench.batch_transformers"], json.dumps(job))
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    told = json.loads(done.stdout.strip().splitlines()[-1])
    return {int(clients): Round(**round) for clients, round in told.items()}


def run(words: Sequence[str], said: str) -> subprocess.CompletedProcess[str]:
    """A program that reads its job from stdin."""
    return subprocess.run(words, input=said, capture_output=True, text=True, timeout=4 * PATIENCE)


if __name__ == "__main__":
    raise SystemExit(main())
