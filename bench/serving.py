"""Answers a second at 1, 8 and 32 clients: omma's server beside transformers' batches and llama.cpp's server.

    python -m bench.serving --llama FOLDER    FOLDER is a built llama.cpp; its rows are left out without one
    python -m bench.serving --toy             toy shapes, to try the bench itself; writes nothing

Every peer has the same weights, prompts and numbers of tokens to write; one runs at a time. Where answers
have one length, clients ask once (a lone one three times), which suits batches best. Where they have all
lengths, clients go on asking, as people do: a batch then lasts as long as its longest answer.
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
from bench.serving_load import LENGTHS, Question, asked
from bench.speed import SUBJECTS, TOYS, Subject

CLIENTS = (1, 8, 32)
AGAINST_TRANSFORMERS = 2.0  # times as fast, at every number of clients
AGAINST_LLAMA = {1: 0.8, 8: 1.2, 32: 1.2}
Load = dict[tuple[str, int], list[list[Question]]]  # of each client, by lengths and number of clients
PATIENCE = 600  # seconds for a server to stand, and for a round of answers


@dataclass(frozen=True)
class Round:
    """What one peer did with so many clients: tokens a second over all of them, and tokens of all prompts."""

    speed: float
    prompts: int


Rounds = dict[tuple[str, int], Round] | str  # by lengths and number of clients, or why there is none


def main() -> int:
    """Measure all three, compare, publish."""
    parser = argparse.ArgumentParser(prog="python -m bench.serving", description=__doc__)
    parser.add_argument("--llama", type=Path, help="folder of a built llama.cpp")
    parser.add_argument(
        "--tokens", type=int, default=128, help="tokens of an answer where all have one length"
    )
    parser.add_argument("--lengths", choices=LENGTHS, action="append", help="one of the two loads alone")
    parser.add_argument("--toy", action="store_true", help="toy shapes; writes nothing")
    wish = parser.parse_args()
    subject = TOYS[0] if wish.toy else next(one for one in SUBJECTS if one.shape and one.stages)
    prepare(subject)
    threads = len(os.sched_getaffinity(0))
    rounds = [(lengths, clients) for lengths in wish.lengths or LENGTHS for clients in CLIENTS]
    load = {one: asked(one[1], one[0], wish.tokens) for one in rounds}
    ours = served(lambda port: omma_server(subject.folder, port), load)
    theirs = in_batches(subject.folder, load, threads)
    cpp = (
        served(lambda port: llama_server(wish.llama, subject.folder, port, load, threads), load)
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
    for (lengths, clients), mine in ours.items():
        for peer, rounds, least in (
            ("transformers", theirs, AGAINST_TRANSFORMERS),
            ("llama.cpp", cpp, AGAINST_LLAMA[clients]),
        ):
            title = f"{name}: {clients} at once, answers of {lengths}, beside {peer}"
            if isinstance(rounds, str):
                table.row(title, mine.speed, "tokens/s", note=f"no {peer}: {rounds}")
                continue
            other = rounds[lengths, clients]
            times = mine.speed / other.speed
            same = (
                "" if other.prompts == mine.prompts else f"; {mine.prompts} and {other.prompts} tokens read"
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


def llama_server(llama: Path, folder: Path, port: int, load: Load, threads: int) -> list[str]:
    """llama.cpp's server on the same weights, converted by its own program the first time."""
    weights = folder.with_suffix(".gguf")
    if not weights.exists():
        subprocess.run(
            [sys.executable, "-m", "bench.gguf", str(llama), str(folder), str(weights)], check=True
        )
    program = next(llama.glob("build/bin/llama-server"))
    longest = max(one.tokens for clients in load.values() for said in clients for one in said)
    room = max(CLIENTS) * (512 + longest)
    many = ["-np", str(max(CLIENTS)), "-c", str(room), "-t", str(threads), "-tb", str(threads)]
    return [str(program), "-m", str(weights), "--port", str(port), *many, "--no-webui"]


def served(command: Callable[[int], list[str]], load: Load) -> Rounds:
    """Rounds of a server that speaks OpenAI's form."""
    try:
        with standing(command) as address:
            for _ in range(2):  # what is done once for all of them is not counted
                ask(address, Question("Count to a hundred, then back.", 64))
            return {which: one_round(address, which[0], clients) for which, clients in load.items()}
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
            if ask(address, Question("One, two.", 2))[0]:
                return
        except httpx.HTTPError:
            time.sleep(0.5)
    raise RuntimeError(f"the server did not stand after {PATIENCE} seconds")


def ask(address: str, question: Question) -> tuple[int, int]:
    """Tokens written and read of one answer."""
    body = {
        "messages": [{"role": "user", "content": question.words}],
        "max_tokens": question.tokens,
        "temperature": 0,
    }
    reply = httpx.post(f"{address}/v1/chat/completions", json=body, timeout=PATIENCE)
    usage = reply.raise_for_status().json()["usage"]
    return usage["completion_tokens"], usage["prompt_tokens"]


def one_round(address: str, lengths: str, clients: Sequence[Sequence[Question]]) -> Round:
    """Each client asks its questions one after the other; the round is over when the last has its answer."""
    began = time.perf_counter()
    with ThreadPoolExecutor(len(clients)) as crowd:
        told = list(crowd.map(lambda said: [ask(address, one) for one in said], clients))
    spent = time.perf_counter() - began
    written = sum(count for one in told for count, _ in one)
    print(f"{len(clients)} clients, {lengths}: {written} tokens in {spent:.1f} s", file=sys.stderr)
    return Round(written / spent, sum(count for one in told for _, count in one))


def in_batches(folder: Path, load: Load, threads: int) -> Rounds:
    """Rounds of transformers: the clients' first questions are a batch, then their second ones."""
    print("starting transformers …", file=sys.stderr)
    batches = [list(zip(*clients, strict=True)) for clients in load.values()]
    job = {"folder": str(folder), "threads": threads, "rounds": batches}
    done = run([sys.executable, "-m", "bench.batch_transformers"], json.dumps(job))
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    told = json.loads(done.stdout.strip().splitlines()[-1])
    return {which: Round(**one) for which, one in zip(load, told, strict=True)}


def run(words: Sequence[str], said: str) -> subprocess.CompletedProcess[str]:
    """A program that reads its job from stdin."""
    return subprocess.run(words, input=said, capture_output=True, text=True, timeout=4 * PATIENCE)


if __name__ == "__main__":
    raise SystemExit(main())
