"""What it costs to hold an answer to a shape, and whether the bundled model at its wildest keeps to it.

python -m bench.grammar [SCHEMAS]
"""

from __future__ import annotations

import json
import re
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import jsonschema  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

import omma
from bench.results import Table
from omma.chat import Options, message
from omma.engine.closing import Closing
from omma.engine.generate import generate
from omma.engine.grammar import Vocabulary, compile_shape
from omma.engine.request import Request
from omma.prep.tokenizer import Tokenizer
from omma.respond import Model
from omma.sample import Size
from omma.shape import Calls, Json, Matching, Places, Schema, Shape
from tests.engine.schemas import schema_of

SCHEMAS = 1_000
WILDEST = 100.0  # the highest temperature that is taken
LONGEST = 400  # tokens of an answer
LAST = 32  # tokens more than the shortest answer has
LARGE = 151_936  # tokens that Qwen's public models score
COST = 1.0  # milliseconds of a mask that nobody notices beside a token of a large model
TOOL = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}


class Words:
    """A vocabulary as large as the public ones: bytes, omma-nano's tokens, and words of Python's library."""

    def __init__(self, nano: Tokenizer) -> None:
        known = dict.fromkeys([bytes([byte]) for byte in range(256)])
        known |= dict.fromkeys(nano.bytes_of(token) for token in range(nano.size))
        for piece in pieces():
            if len(known) >= LARGE - 1:
                break
            known.setdefault(piece)
        self.tokens = [*(token for token in known if token), b"<|end|>"]
        self.size, self.marks = len(self.tokens), {"<|end|>": len(self.tokens) - 1}
        self._ids = {token: i for i, token in enumerate(self.tokens)}

    def bytes_of(self, token: int) -> bytes:
        """The bytes of a token."""
        return self.tokens[token]

    def text(self, text: str) -> list[int]:
        """The longest token that fits, again and again."""
        raw, told = text.encode(), list[int]()
        while raw:
            length = next(n for n in range(min(len(raw), 16), 0, -1) if raw[:n] in self._ids)
            told.append(self._ids[raw[:length]])
            raw = raw[length:]
        return told


def pieces() -> Iterator[bytes]:
    """Words, signs and blanks of Python's library, and of packages beside it."""
    for path in sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        text = path.read_text(encoding="utf-8", errors="ignore")
        for word in re.findall(r" ?[^\W\d_]{1,15}|[^\w\s]{1,4}|\s{1,8}", text):
            yield word.encode()


def shapes() -> dict[str, Shape]:
    """What answers are held to, by name."""
    return {
        "any JSON object": Json(),
        "a generated schema": Schema(schema_of(2)),
        "a pattern": Matching(r"[A-Z][a-z]{2,12}( [a-z]{2,12}){3,20}\."),
        "boxes in a picture": Places(Size(1280, 960), "relative"),
        "boxes in pixels": Places(Size(1280, 960), "pixels"),
        "calls of a tool": Calls((("look", TOOL),)),
    }


def cost(shape: Shape, vocabulary: Vocabulary, answers: int = 5) -> tuple[float, list[float]]:
    """Seconds to compile a shape, and those of every mask and step in random answers of 100 tokens."""
    begun = time.perf_counter()
    grammar = compile_shape(shape, vocabulary)
    compiled, told = time.perf_counter() - begun, list[float]()
    for seed in range(answers):
        walk, dice = grammar.walk(), np.random.default_rng(seed)
        for _ in range(100):
            begun = time.perf_counter()
            mask = walk.mask()
            told.append(time.perf_counter() - begun)
            token = int(dice.choice(np.flatnonzero(mask)))
            if token in vocabulary.stop_ids:
                break
            begun = time.perf_counter()
            walk.take(token)
            told[-1] += time.perf_counter() - begun
    return compiled, told


def costs(table: Table, vocabulary: Vocabulary) -> None:
    """A row for each shape: the usual mask, and the dearest ones in the note."""
    begun = time.perf_counter()
    cost(Matching("a"), vocabulary)
    ready = time.perf_counter() - begun
    table.row(f"{vocabulary.size:,} tokens: made ready once", ready, "s")
    for name, shape in shapes().items():
        compiled, masks = cost(shape, vocabulary)
        usual, dear = 1e3 * float(np.median(masks)), 1e3 * float(np.quantile(masks, 0.99))
        note = f"p99 {dear:.2f} ms, dearest {1e3 * max(masks):.1f} ms, compiled in {1e3 * compiled:.1f} ms"
        label = f"{vocabulary.size:,} tokens, {name}: a mask and a step"
        table.row(label, round(usual, 4), "ms", goal=f"≤ {COST:g}", met=usual <= COST, note=note)
        first, far, near = ends(shape, vocabulary)
        note = (
            f"dearest {1e3 * max(near):.1f} ms; far from the limit {1e3 * float(np.median(far)):.4f} ms; "
            f"the shortest answer found in {1e3 * first:.1f} ms"
        )
        label = f"{vocabulary.size:,} tokens, {name}: an end kept in reach, of the last tokens each"
        table.row(label, round(1e3 * float(np.mean(near)), 4), "ms", note=note)


def ends(shape: Shape, vocabulary: Vocabulary, answers: int = 5) -> tuple[float, list[float], list[float]]:
    """Seconds until an end is found from the beginning, and for each token: far from the limit, and near."""
    grammar = compile_shape(shape, vocabulary)
    assert grammar.endings is not None
    endings = grammar.endings
    begun = time.perf_counter()
    least = endings.least
    first, told = time.perf_counter() - begun, list[list[float]]()
    for more in (10**6, LAST):
        seconds, most = list[float](), len(least or ()) + more
        for seed in range(answers):
            walk, dice, closing = grammar.walk(), np.random.default_rng(seed), Closing(endings, most)
            for left in range(most, more - LAST, -1):
                mask = walk.mask()
                begun = time.perf_counter()
                token = closing.chosen(walk, left, partial(drawn, mask, dice))
                seconds.append(time.perf_counter() - begun)
                if token in vocabulary.stop_ids:
                    break
                walk.take(token)
                closing.take(token)
        told.append(seconds[1:])
    return first, told[0], told[1]


def drawn(mask: NDArray[np.bool_], dice: np.random.Generator, refused: Sequence[int]) -> int | None:
    """Any token that is allowed and not refused."""
    mask[list(refused)] = False
    return int(dice.choice(np.flatnonzero(mask))) if mask.any() else None


def wild(table: Table, model: Model, count: int) -> None:
    """Most random answers to generated schemas: how many ended by themselves, and that all are valid."""
    schemas = [schema_of(seed) for seed in range(count)]

    def asked() -> Iterator[Request]:
        for seed, schema in enumerate(schemas):
            wishes = Options.of(shape=Schema(schema), temperature=WILDEST, seed=seed, max_tokens=LONGEST)
            yield model.prepared((message("user", "Tell me."),), wishes)[0]

    texts, whole, wrong = [""] * count, 0, 0
    for piece in generate(model.network, asked(), model.spell, rows=32):
        texts[piece.index] += piece.text
        whole += piece.finish == "stop"
        wrong += piece.error is not None
    wrong += sum(not validates(text, schema) for text, schema in zip(texts, schemas, strict=True))
    note = f"of at most {LONGEST} tokens; the others were brought to an end"
    table.row("replies to generated schemas that ended by themselves", whole, f"of {count}", note=note)
    table.row(f"of all {count} replies, not parsed or not valid", wrong, goal="0", met=wrong == 0)


def validates(text: str, schema: dict[str, Any]) -> bool:
    """Whether a text is JSON of a schema, formats too, to an independent judge."""
    judge = jsonschema.Draft202012Validator
    try:
        return bool(judge(schema, format_checker=judge.FORMAT_CHECKER).is_valid(json.loads(text)))
    except ValueError:
        return False


def main() -> int:
    """Measure, judge, publish."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else SCHEMAS
    table = Table("grammar", "python -m bench.grammar")
    model = omma.load("omma-nano")
    tokenizer = model.processor.tokenizer
    ids = tokenizer.token_ids
    costs(table, Vocabulary(tokenizer, tokenizer.size, frozenset({ids.turn_end, ids.end_of_text})))
    words = Words(tokenizer)
    costs(table, Vocabulary(cast(Tokenizer, words), LARGE, frozenset({words.size - 1})))
    wild(table, model, count)
    return table.publish()


if __name__ == "__main__":
    raise SystemExit(main())
