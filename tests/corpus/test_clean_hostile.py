"""Whatever stands in a file of pairs, cleaning ends, loses nothing, and what it writes can be read again."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from omma.corpus.clean import Pair, clean
from omma.corpus.clean_likeness import ColourWords, Similarity
from omma.corpus.clean_pairs import Found, read_pairs
from omma.corpus.clean_rules import academic, grounded, pages, web
from omma.corpus.clean_run import Plan, clean_corpus
from omma.corpus.near import picture_hash
from omma.corpus.near_groups import Near
from omma.corpus.near_suites import HeldOut, HeldPicture
from omma.corpus.reading import Corpus
from tests.corpus.planted import cut, drawings, encoded, header_only, noise, spoiled

MILLION = 10**6
MANY = 10**5  # of what would take for ever if time grew with its square
TEXTS = {
    "empty": "",
    "blank": " \n\t\u2003",
    "one letter": "a",
    "a million letters": "a" * MILLION,
    "a million words": "word " * (MILLION // 5),
    "many tags": "<a" * (MANY // 2),
    "comments without end": "<!--" * (MANY // 4),
    "scripts without end": "<script>" * (MANY // 8),
    "escapes of escapes": "&amp;" * (MANY // 5),
    "brackets": "(" * MANY,
    "dots and letters": "a." * (MANY // 2),
    "ats": "@a" * (MANY // 2),
    "addresses": "www." * (MANY // 4),
    "dates": "May 1 " * (MANY // 6) + "x",
    "cameras": "canon " * (MANY // 6) + "!x",
    "binary": "".join(map(chr, range(256))) * 40,
    "lone surrogates": "\ud800 a dog \udfff in the garden",
    "marks of direction": "\u202e\u200fA dog\u202c in the \u2066garden\u2069",
    "nulls": "\0" * 1000,
    "separators": "A dog\u2028in the\u2029big\x85garden",
    "accents on accents": "a" + "\u0301" * 100_000,
    "the last letter": "\U0010ffff a dog in the garden",
    "tags of language": "A dog in the garden\U000e0041\U000e007f",
}
NOISE = PIL.Image.fromarray(np.random.default_rng(3).integers(0, 256, (220, 240, 3), dtype=np.uint8))


def animation() -> bytes:
    file = io.BytesIO()
    NOISE.save(file, "GIF", save_all=True, append_images=[NOISE.rotate(90)] * 3)
    return file.getvalue()


PICTURES: dict[str, object] = {
    "one pixel": noise(1, 1),
    "a line": noise(8000, 1),
    "a bomb": header_only(30_000, 30_000),
    "the largest header": header_only(2**31 - 1, 2**31 - 1),
    "no pixels": header_only(300, 300),
    "flat": encoded(PIL.Image.new("RGB", (240, 240), "white")),
    "cut": cut(encoded(NOISE, "JPEG"), 0.5),
    "stub": encoded(NOISE, "JPEG")[:3],
    "spoiled": spoiled(drawings()[0]),
    "nothing": b"",
    "words": b"only words",
    "grey and deep": encoded(PIL.Image.new("I;16", (240, 240), 999)),
    "see-through": encoded(NOISE.convert("RGBA")),
    "palette": encoded(NOISE.convert("P")),
    "moving": animation(),
    "a path to nowhere": "nowhere/at/all.png",
    "a path with a null": "a\0b.png",
    "a folder": "/",
    "an address": "http://a.example/x.png",
    "a broken data: URL": "data:image/png;base64,%%%",
    "an endless name": "x" * 5000,
}
HELD = HeldOut((HeldPicture("suite", "line 1", picture_hash(NOISE)),))
RULES = {
    "web": (*web(Similarity(ColourWords(), 0.5)), HELD),
    "academic": academic(),
    "grounded": grounded(),
    "pages": (*pages(), HELD),
}


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_no_text_is_too_much(text: str, rules: tuple[object, ...]) -> None:
    (judged,) = clean([Pair(drawings()[1], (text,))], rules)  # type: ignore[arg-type]
    assert judged.pair is not None or judged.steps[-1].after is None


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
@pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES)
def test_no_picture_is_too_much(picture: object, rules: tuple[object, ...]) -> None:
    (judged,) = clean([Pair(picture, ("A dog in the garden, seen by all",))], rules)  # type: ignore[arg-type]
    assert judged.pair is not None or judged.steps[-1].after is None


def test_hostile_pairs_are_all_accounted_for_and_what_is_kept_can_be_read(tmp_path: Path) -> None:
    said = "A dog in the garden, number"
    pairs = [Pair(drawings()[n % 16], (text[:5000],)) for n, text in enumerate(TEXTS.values())]
    pairs += [Pair(picture, (f"{said} {n}",)) for n, picture in enumerate(PICTURES.values())]
    found = [Found(f"place {n}", pair) for n, pair in enumerate(pairs)]
    report = clean_corpus(found, tmp_path / "out", Plan(academic(), Near("either"), shard=5))
    kept = (tmp_path / "out/pairs.jsonl").read_text().splitlines()
    dropped = (tmp_path / "out/dropped.jsonl").read_text().splitlines()
    assert (report.kept, report.pairs) == (len(kept), len(kept) + len(dropped)) == (len(kept), len(pairs))
    corpus = Corpus(tmp_path / "out/pairs.jsonl")
    assert len([corpus.record(raw) for raw in corpus.scan()]) == len(kept) > 5


LINES = [
    b"",
    b"{",
    b"null",
    b"[1, 2]",
    b'"text"',
    b"\xff\xfe\x00",
    b'{"image": 7, "caption": "A dog in the garden"}',
    b'{"image": [], "caption": "A dog in the garden"}',
    b'{"image": ["a.png", "b.png"], "caption": "A dog in the garden"}',
    b'{"image": "a.png", "caption": 7}',
    b'{"image": "a.png", "caption": null}',
    b'{"image": "a.png", "captions": []}',
    b'{"image": "a.png", "captions": ["A dog", 7]}',
    b'{"image": "a.png", "caption": "A dog", "question": 3}',
    b'{"image": "a.png", "caption": "A dog", "labels": 3}',
    b'{"image": "a.png", "caption": "A dog", "labels": [[NaN, 1, 0, 0, 1, 1]]}',
    b'{"image": "a.png", "caption": "A dog", "labels": [[0.5, 1, 0, 0, 1, 1]]}',
    b'{"image": "a.png", "caption": "A dog", "labels": [["a", 1, 0, 0, 1, 1]]}',
    b'{"messages": []}',
    b'{"messages": [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Yes."}]}',
    b'{"image": "a.png", "caption": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    b'{"image": "a.png", "caption": "A dog", "more": ' + b"[" * 900 + b"]" * 900 + b"}",
    b'{"image": "a.png", "caption": "A \\ud800 dog in the garden"}',
    b'{"image": "a.png", "caption": "A dog", "size": ' + b"9" * 5000 + b"}",
]


def test_no_line_of_a_file_stops_the_run(tmp_path: Path) -> None:
    encoded_here = base64.b64encode(drawings()[0]).decode()
    good = {"image": f"data:image/png;base64,{encoded_here}", "caption": "A dog in the garden"}
    (tmp_path / "web.jsonl").write_bytes(b"\n".join([json.dumps(good).encode(), *LINES]))
    report = clean_corpus(read_pairs(tmp_path / "web.jsonl"), tmp_path / "out", Plan(web()))
    assert (report.kept, report.pairs) == (1, len([line for line in LINES if line]) + 1)
    places = [json.loads(line)["where"] for line in (tmp_path / "out/dropped.jsonl").read_text().splitlines()]
    assert len(set(places)) == len(places) == report.pairs - 1
