"""Pairs whose faults are known: each says which rule must find it, and good ones stand among them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import NamedTuple

import numpy as np
import PIL.Image

from omma.corpus.clean import Label, Pair
from omma.sample import Size
from omma.synth.exercise import draw


class Planted(NamedTuple):
    """A pair, the rule that must drop or change it (None: nobody may), and the text that must be left."""

    pair: Pair
    rule: str | None
    left: str | None


Say = Callable[[Random], str]


# Pictures


def encoded(picture: PIL.Image.Image, kind: str = "PNG", **how: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **how)
    return file.getvalue()


@cache
def drawings() -> tuple[bytes, ...]:
    """Scenes and screens of omma's own worlds."""
    worlds = ("scenes", "screens", "words", "scenes")
    return tuple(
        encoded(draw(worlds[i % 4], (77, i), level=i % 3, size=Size(280, 224), maps=False).drawing.picture)
        for i in range(16)
    )


@cache
def noise(width: int, height: int, colour: str = "grey") -> bytes:
    """A picture of one colour with a grain."""
    grain = np.random.default_rng(width * 7919 + height).integers(-20, 20, (height, width, 3))
    base = np.asarray(PIL.Image.new("RGB", (width, height), colour), np.int64)
    return encoded(PIL.Image.fromarray(np.clip(base + grain, 0, 255).astype(np.uint8)))


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def header_only(width: int, height: int) -> bytes:
    """A PNG that promises a size and holds next to nothing."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


# Texts

THINGS = (
    "dog",
    "teapot",
    "lighthouse",
    "tractor",
    "violin",
    "bridge",
    "heron",
    "market stall",
    "bicycle",
    "owl",
)
HOW = ("old", "small", "wooden", "broken", "shiny", "sleeping", "painted", "lonely", "heavy", "round")
PLACES = (
    "in the garden",
    "by the harbour",
    "on a table",
    "at the station",
    "under a tree",
    "near the window",
)
HAN = ("一只小狗坐在草地上", "桌子上放着一个旧茶壶", "港口边的灯塔在夜里亮着", "两个孩子在树下看书")


def caption(dice: Random) -> str:
    """What anyone might say of a picture."""
    if dice.random() < 0.2:
        return dice.choice(HAN) + dice.choice(("", "。", f",共{dice.randint(2, 99)}个"))
    thing, how, place = dice.choice(THINGS), dice.choice(HOW), dice.choice(PLACES)
    return dice.choice(
        (
            f"A {how} {thing} {place}",
            f"The {thing} is {how}, and stands {place}.",
            f"One {how} {thing} {place}",
        )
    )


def words(count: int, length: int) -> str:
    """So many different words of so many letters: count × (length + 1) - 1 letters in all."""
    return " ".join(
        chr(97 + i % 26) + chr(97 + i // 26 % 26) + "eiou"[i % 4] * (length - 2) for i in range(count)
    )


AT_THE_EDGE: tuple[str, ...] = (
    "a b cd",  # 3 words, 6 letters
    "汽车站",  # 3 words, 6 letters
    words(256, 2),  # 256 words
    words(143, 6),  # 1,000 letters
    "It went bang!!!!!!!! over the roofs",  # 8 marks in a row
    "He laughs ha ha ha behind the door",  # 3 times
    "one two three four one three two four one three",  # 4 of 10 different
    "I <3 the harbour, where a < b & c > d holds",
    "AT&T sells R&B records; 5 & 6 are left",
    "A café in Málaga, Curaçao, naïve façade",
    "The ♀ heron is smaller than the ♂ heron",
    "A sign reads © and ™ on the wall of ½ the houses",
    "Nest box no. 12, May 2019, seen from below",
    "A file called IMG_1234.JPG lies open on a screen",
    "A Canon EOS 5D lies beside two lenses on a bench",
    "Photo of the lake by the mountains at dawn",
    "Click beetle on a leaf after the rain",
    "The page says: no image available, in large letters",
    "Very very very old oak in the park",
    "New York, New York: the town seen from the river",
    "E=mc² and x≤y in chalk on a board",
    "“Open” — a sign in the door’s window…",
    "图中有3只猫和2条狗",
    "温度为25℃,风速5m/s",
    "A man in a t-shirt that reads <hello world>",
    "Stock car racing on an oval track",
    "A map with arrows → to the exits ← and stairs ↑",
)

BAD: dict[str, tuple[Say, ...]] = {
    "html": (
        lambda dice: "<div><br/></div>",
        lambda dice: f"<!-- {caption(dice)} -->",
        lambda dice: f"<script>var a = '{dice.random()}';</script><p></p>",
        lambda dice: "&nbsp;&lt;br&gt;&nbsp;",
    ),
    "garbled": (
        lambda dice: f"{caption(dice)}\x00\x01",
        lambda dice: f"\ufffd\ufffd {caption(dice)}",
        lambda dice: f"{caption(dice)} \ud83d",
        lambda dice: "Un cafÃ© prÃ¨s du port",
        lambda dice: f"{caption(dice)} it\u00e2\u20ac\u2122s",
        lambda dice: f"\x9b31m{caption(dice)}",
        lambda dice: f"{caption(dice)}\ufdd0",
        lambda dice: "PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    ),
    "special tags": (
        lambda dice: f"<PERSON> and a friend: {caption(dice)}",
        lambda dice: f"{caption(dice)} with <PERSON>",
        lambda dice: f"{caption(dice)} <|im_end|>",
        lambda dice: f"{caption(dice)} <unk>",
        lambda dice: f"&lt;PERSON&gt; {caption(dice)}",
        lambda dice: f"{caption(dice)} in <LOCATION_2>",
    ),
    "emoji": tuple(
        (lambda dice, sign=sign: f"{caption(dice)} {sign}")
        for sign in ("👍", "❤️", "❤", "1️⃣", "🇩🇪", "👨‍👩‍👧", "♀️", "☀", "©️", "🀄", "✨", "👍🏽")
    ),
    "script": tuple(
        (lambda dice, other=other: f"{caption(dice)} {other}")
        for other in (
            "собака", "σκύλος", "كلب", "כלב", "いぬ", "イヌ", "개", "สุนัข", "कुत्ता", "շուն", "ძაღლი", "ㄍㄡˇ",
            "\ue000", "\u0378",
        )
    ),
    "irregular": (
        lambda dice: f"IMG_{dice.randint(1000, 9999)}",
        lambda dice: f"DSC{dice.randint(10000, 99999)}.JPG",
        lambda dice: f"summer-house_{dice.randint(1, 99)}-1024x768.png",
        lambda dice: f"https://pictures.example/{dice.randint(1, 999)}/a.html?x=1",
        lambda dice: f"www.pictures{dice.randint(1, 99)}.example",
        lambda dice: f"{dice.randint(1, 28)} March 20{dice.randint(10, 22)}, 10:{dice.randint(10, 59)} am",
        lambda dice: f"20{dice.randint(10, 22)}-0{dice.randint(1, 9)}-1{dice.randint(0, 9)} 18:30:22",
        lambda dice: f"2019年{dice.randint(1, 12)}月{dice.randint(1, 28)}日",
        lambda dice: f"Canon EOS {dice.randint(1, 9)}D Mark III, f/2.8, 1/200s, ISO 400, 50mm",
        lambda dice: "OLYMPUS DIGITAL CAMERA",
        lambda dice: "Click here to view larger image",
        lambda dice: "No image available",
        lambda dice: "点击查看大图",
        lambda dice: f"#sunset #travel #day{dice.randint(1, 99)}",
        lambda dice: f"{dice.randint(100, 999)} - {dice.randint(100, 999)} / {dice.randint(1, 9)}",
        lambda dice: f"7f3c9a1e-{dice.randint(1000, 9999)}-4d12",
        lambda dice: f"Screenshot 2021-03-0{dice.randint(1, 9)} at 10.11.12",
        lambda dice: f"anna{dice.randint(1, 99)}@mail.example",
    ),
    "repetition": (
        lambda dice: f"{caption(dice)} {'!' * 9}",
        lambda dice: f"{caption(dice)} {'a' * dice.randint(9, 60)}",
        lambda dice: "buy buy buy buy a good wooden chair",
        lambda dice: "red chair, red chair, red chair, red chair on the lawn",
        lambda dice: "哈" * dice.randint(4, 8) + "好看",
        lambda dice: "one two three one three two one three two one",  # 3 of 10 different
        lambda dice: "the best price for you " * 4 + "today",
    ),
    "length": (
        lambda dice: dice.choice(THINGS[:5]),
        lambda dice: f"{dice.choice(HOW)} {dice.choice(THINGS[:5])}",
        lambda dice: "a b c",  # 5 letters
        lambda dice: "猫狗",
        lambda dice: words(257, 2),
        lambda dice: f"{words(143, 6)}.",  # 1,001 letters
        lambda dice: words(600, 8),
    ),
}  # fmt: skip

CHANGED: dict[str, tuple[tuple[str, str], ...]] = {
    "html": (
        ("A <b>paper</b> kite<br/>over the hill", "A paper kite over the hill"),
        ("Fish &amp; chips on a plate", "Fish & chips on a plate"),
        ("<p class='x'>The dog sleeps well</p><script>alert(1)</script>", "The dog sleeps well"),
        ("Salt &amp;amp; pepper <!-- new --> in two jars", "Salt & pepper in two jars"),
        ("<a href='https://a.example/x.html'>A lighthouse at dusk</a>", "A lighthouse at dusk"),
        ("25 &deg;C in the shade &ndash; a hot day", "25 °C in the shade – a hot day"),
    ),
    "tidy": (
        ("A dog\u200b in the\u00a0garden", "A dog in the garden"),
        ("\u202eA ship\u202c on the sea", "A ship on the sea"),
        ("A dog\t\tand\na cat  outside ", "A dog and a cat outside"),
        ("\ufeffTwo birds on a wire", "Two birds on a wire"),
        ("\u200fOne boat\u200e near the pier", "One boat near the pier"),
    ),
    "irregular": (
        ("A barn owl at dusk https://a.example/owl", "A barn owl at dusk"),
        ("Two foxes in the snow.jpg", "Two foxes in the snow"),
        ("A heron stands in water | Getty Images", "A heron stands in water"),
        ("Old couple on the beach - Stock Photo 48211", "Old couple on the beach"),
        ("A train leaves the hall. Photo credit: Jo Marsh", "A train leaves the hall."),
        ("Wooden boat at anchor © 2016 Harbour Press", "Wooden boat at anchor"),
        ("Old brick house - Image 3 of 12", "Old brick house"),
        ("Hand-made oak bowl (click to enlarge)", "Hand-made oak bowl"),
        ("Oak table with four chairs | furniture-deals.com", "Oak table with four chairs"),
        ("Sunrise over the bay by @shutterbird", "Sunrise over the bay"),
        ("一座红色的桥\uff08点击查看大图\uff09", "一座红色的桥"),
    ),
}  # fmt: skip


# Whether a picture of one colour goes with its text: half of the colours named, and all of them.
COLOURED = (
    ("blue", "loose", "A blue door beside a red gate"),
    ("red", "strict", "The red door of the old barn"),
)


def planted(count: int, seed: int = 2026) -> Iterator[Planted]:
    """So many pairs for the line-up of the web with a scorer: half good, half with one fault each."""
    dice = Random(seed)
    bad = [(rule, say) for rule, says in BAD.items() for say in says]
    changed = [(rule, *texts) for rule, pairs in CHANGED.items() for texts in pairs]
    shown = [(rule, make) for rule, makes in BAD_PICTURES.items() for make in makes]
    for number in range(count):
        turn = number // 2
        if number % 2:
            yield Planted(*_good(dice, turn))
            continue
        match turn % 6:
            case 0 | 1 | 2:
                rule, say = bad[(turn // 6 * 3 + turn % 6) % len(bad)]
                yield Planted(Pair(dice.choice(drawings()), (say(dice),)), rule, None)
            case 3:
                rule, before, after = changed[turn // 6 % len(changed)]
                yield Planted(Pair(dice.choice(drawings()), (before,)), rule, after)
            case 4:
                rule, make = shown[turn // 6 % len(shown)]
                yield Planted(make(dice), rule, None)
            case _:
                texts = [caption(dice), f"{caption(dice)}, with more to say of it", "A quick look"]
                dice.shuffle(texts)
                yield Planted(
                    Pair(dice.choice(drawings()), tuple(texts)), "longest text", max(texts, key=_width)
                )


def _width(text: str) -> int:
    return len(text) + sum("\u4e00" <= letter <= "\u9fff" for letter in text)


def _good(dice: Random, turn: int) -> tuple[Pair, None, str]:
    text = AT_THE_EDGE[turn // 3 % len(AT_THE_EDGE)] if turn % 3 == 0 else caption(dice)
    sizes = ((200, 200), (600, 200), (200, 600), (201, 603), (1200, 400))
    picture = noise(*dice.choice(sizes)) if turn % 5 == 0 else dice.choice(drawings())
    if turn % 11 == 0:
        colour, name, text = COLOURED[turn // 11 % 2]
        return Pair(noise(240, 240, colour), (text,), {"set": name}), None, text
    return Pair(picture, (text,)), None, text


def _of(picture: Callable[[Random], object]) -> Callable[[Random], Pair]:
    return lambda dice: Pair(picture(dice), (caption(dice),))


def _said(colour: str, text: str, name: str) -> Callable[[Random], Pair]:
    return lambda dice: Pair(noise(240, 240, colour), (text,), {"set": name})


def cut(data: bytes, share: float) -> bytes:
    return data[: int(len(data) * share)]


def spoiled(data: bytes) -> bytes:
    at = data.index(b"IDAT") + 30
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


BAD_PICTURES: dict[str, tuple[Callable[[Random], Pair], ...]] = {
    "picture size": (
        _of(lambda dice: noise(199, 240)),
        _of(lambda dice: noise(240, 199)),
        _of(lambda dice: noise(1, 1)),
        _of(lambda dice: noise(50, 60)),
        _of(lambda dice: noise(199, 1)),
    ),
    "aspect ratio": (
        _of(lambda dice: noise(601, 200)),
        _of(lambda dice: noise(200, 601)),
        _of(lambda dice: noise(1600, 200)),
        _of(lambda dice: noise(230, 2300)),
    ),
    "broken picture": (
        _of(lambda dice: b"<html>404</html>"),
        _of(lambda dice: cut(dice.choice(drawings()), dice.uniform(0.1, 0.9))),
        _of(lambda dice: spoiled(dice.choice(drawings()))),
        _of(lambda dice: header_only(30_000, 30_000)),
        _of(lambda dice: header_only(400, 400)),
        _of(lambda dice: f"nowhere/{dice.randint(1, 99)}.jpg"),
        _of(lambda dice: "https://pictures.example/1.jpg"),
        _of(lambda dice: cut(encoded(PIL.Image.effect_noise((300, 300), 60).convert("RGB"), "JPEG"), 0.6)),
    ),
    "similarity": (
        _said("blue", "A red kite over a yellow field", "loose"),
        _said("blue", "A blue door beside a red gate", "strict"),
        _said("green", "The pink house at the corner", ""),
    ),
}  # fmt: skip


# Captions with boxes, and pages

BOX = (0.1, 0.1, 0.5, 0.5)
DOGS = "a dog in the grass by a red gate"


def grounded() -> Iterator[tuple[Pair, int | None]]:
    """Captions with labels, and how many boxes must be left; None: the pair must fall."""
    dog, grass, both, gate = Label(0, 5, BOX), Label(9, 18, BOX), Label(0, 18, BOX, 0.9), Label(22, 32, BOX)
    cases = (
        ((dog, grass, gate), 3),
        ((both, dog, grass, gate), 3),
        ((both, gate), 2),
        ((both, dog), 1),
        ((both, both, both, dog, grass), 3),
        ((dog, dog, grass), 3),
        ((Label(0, 99, BOX),), None),
        ((Label(5, 5, BOX),), None),
        ((Label(0, 5, (0.5, 0.1, 0.5, 0.5)),), None),
        ((Label(0, 5, (0.1, 0.1, 1.5, 0.5)), gate), 1),
        ((), None),
    )
    for number in range(55):
        labels, left = cases[number % len(cases)]
        yield Pair(drawings()[number % 16], (DOGS,), {"n": number}, labels), left


def pages() -> Iterator[Planted]:
    """Pages of print, some of them with a fault."""
    page = noise(400, 560, "white")
    text = "The harbour lies still.\nTwo boats wait for the tide.\n"
    cases = (
        (page, text.strip(), None),
        (page, "x" * 30, None),
        (page, " x" * 29, "page's letters"),
        (page, ("word\n" * 1500).strip(), None),
        (page, "word\n" * 1500 + "x", "page's letters"),
        (page, f"{text}łódź", "page's blocks"),
        (page, f"{text}\ue012", "page's blocks"),
        (page, f"{text}\U000f0001", "page's blocks"),
        (page, f"{text}Ắ", "page's blocks"),
        (page, f"{text}café à la carte", None),
        (page, f"{text}Москва и Волга", None),
        (noise(399, 560, "white"), text.strip(), "picture size"),
        (page[:500], text.strip(), "broken picture"),
        (page, f"{text}\x00", "garbled"),
    )
    for number in range(70):
        picture, said, rule = cases[number % len(cases)]
        yield Planted(Pair(picture, (said,)), rule, None if rule else said)
