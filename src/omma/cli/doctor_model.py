"""What the doctor sees of a model: its files, tensors and logits, and whether it answers what is known."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omma.cli.doctor_machine import Finding
from omma.errors import BadData, OmmaError

if TYPE_CHECKING:
    from omma.respond import Model

KNOWN = "known_logits.json"  # in a model's folder: what they were on a machine that was well
TOP = 8  # logits that are recorded: the likeliest tokens'
CLOSE = {"float32": 1e-3}  # how far logits may lie apart, of the largest; other dtypes are COARSE
COARSE = 0.05
WORD = "HOUSE"
LENGTH = 60  # tokens of an answer, at most
OVERLAP = 0.5
FAILS = "a small model may fail here, a large one should not"


def model_findings(name: str, device: str, dtype: str, *, record: bool) -> Iterator[Finding]:
    """One after the other, so that a model that does not load still has its files looked at."""
    import omma
    from omma.loading import resolve

    folder = resolve(name)
    yield files(folder)
    began = time.monotonic()
    model = omma.load(name, device=device, dtype=dtype)
    took = time.monotonic() - began
    yield tensors(model, folder, took)
    yield logits(model, folder, record=record)
    answers = [ask(model) for ask in (colour, word, box, order)]
    yield from answers
    if not any(answer.state == "ok" for answer in answers):
        yield Finding(
            "answers", "bad", "not one is right", "the files are another model's, or it is not trained"
        )


def files(folder: Path) -> Finding:
    """The digests that the hub told, or one to compare with other machines."""
    from omma.hub import wrong_files

    wrong = wrong_files(folder)
    if wrong:
        return Finding("files", "bad", f"changed since they were pulled: {', '.join(wrong)}", "pull again")
    digest = f"weights {weights_digest(folder)}"
    if wrong is None:
        return Finding("files", "ok", f"{digest}; no hub told what they should be")
    return Finding("files", "ok", f"{digest}; every file as the hub tells")


def weights_digest(folder: Path) -> str:
    """Sixteen digits of the weights' sha256, file after file."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            while piece := file.read(2**20):
                digest.update(piece)
    return digest.hexdigest()[:16]


def tensors(model: Model, folder: Path, took: float) -> Finding:
    """Loading accounts for all of them; here each is looked at for what is no number."""
    from omma.weights.folder import headers
    from omma.weights.names import public_name

    kinds = [(name, tensor) for _, name, tensor in headers(folder)]
    odd = [name for name, weight in model.network.named_parameters() if not bool(weight.isfinite().all())]
    numbers = sum(tensor.numel() for _, tensor in kinds)
    kind = str(kinds[0][1].dtype).removeprefix("torch.")
    said = f"{len(kinds)} of {numbers:,} numbers in {kind}, none missing, none left over"
    if odd:
        public = public_name(odd[0], model.spec.family)
        return Finding("tensors", "bad", f"{public} holds what is no number", "fetch the model again")
    return Finding("tensors", "ok", f"{said}; loaded in {took:.1f} s")


def logits(model: Model, folder: Path, *, record: bool) -> Finding:
    """The likeliest next tokens after a known picture, beside those recorded for these weights."""
    row = model.logits([_question(known_picture(), "What colour is the circle?")])[-1]
    kind = str(next(model.network.parameters()).dtype).removeprefix("torch.")
    if not bool(row.isfinite().all()):
        return Finding("logits", "bad", f"not numbers in {kind}", "take --dtype bfloat16 or float32")
    best = row.topk(TOP)
    told = {"ids": best.indices.tolist(), "values": [round(v, 4) for v in best.values.tolist()]}
    mark = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:8]
    digest = weights_digest(folder)
    if record:
        kept = _recorded(folder, digest) | {kind: told}
        text = json.dumps({"weights": digest, "logits": kept}, indent=2)
        (folder / KNOWN).write_text(text + "\n", encoding="utf-8")
        return Finding("logits", "ok", f"{mark} in {kind}, recorded")
    known = _recorded(folder, digest).get(kind)
    if known is None:
        return Finding("logits", "ok", f"{mark} in {kind}; none recorded for these weights")
    apart = max(abs(float(row[i]) - v) for i, v in zip(known["ids"], known["values"], strict=True))
    if apart > CLOSE.get(kind, COARSE) * max(map(abs, known["values"])):
        said = f"{mark} in {kind}, up to {apart:.3g} from those recorded"
        return Finding("logits", "bad", said, "this machine computes wrongly: try another build of torch")
    return Finding("logits", "ok", f"{mark} in {kind}, within {apart:.1g} of those recorded")


def _recorded(folder: Path, digest: str) -> dict[str, Any]:
    """Logits by dtype as they were recorded for these weights; none for others."""
    path = folder / KNOWN
    if not path.exists():
        return {}
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return dict(told["logits"]) if told["weights"] == digest else {}
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        raise BadData(f"{path} cannot be read: {wrong}; record it anew with --record") from None


def colour(model: Model) -> Finding:
    """A red circle is red."""
    question = "What colour is the circle?"
    return _asked(
        "colour",
        "a red circle",
        "red",
        lambda: model.ask(known_picture(), question, max_tokens=LENGTH).text,
    )


def word(model: Model) -> Finding:
    """A word in large letters can be read."""
    return _asked(
        "word",
        f"the word {WORD}",
        WORD.lower(),
        lambda: model.read(known_word(), boxes=False, max_tokens=LENGTH).text,
    )


def box(model: Model) -> Finding:
    """The circle is where it was drawn."""

    def place() -> str:
        found = model.find(known_picture(), "circle", max_tokens=LENGTH)
        best = max((_overlap((b.x1, b.y1, b.x2, b.y2)) for b in found), default=0.0)
        return f"box {'found' if best >= OVERLAP else 'missed'}, overlap {best:.2f}"

    return _asked("box", "a circle", "found", place, show=str)


def order(model: Model) -> Finding:
    """Of two events the first came first, whichever it was."""
    import numpy as np

    from omma.chat import Video

    red, blue = (np.asarray(known_picture(*drawn)) for drawn in (("red", "circle"), ("blue", "square")))
    question = "Which colour is seen first, red or blue?"

    def firsts() -> str:
        clips = (Video(np.stack([one] * 4 + [two] * 4), fps=2.0) for one, two in ((red, blue), (blue, red)))
        said = [model.ask(clip, question, max_tokens=LENGTH).text.strip() for clip in clips]
        return " then ".join(said)

    return _asked("order", "red first, then blue first", "red then blue", firsts)


def _asked(
    name: str, shown: str, wanted: str, answer: Callable[[], str], show: Callable[[str], str] = repr
) -> Finding:
    try:
        said = answer().strip()
    except OmmaError as wrong:
        return Finding(name, "warn", f"shown {shown}: {wrong}")
    short = said if len(said) <= 40 else f"{said[:40]}…"
    if wanted in said.lower():
        return Finding(name, "ok", f"shown {shown}: {show(short)}")
    return Finding(name, "warn", f"shown {shown}: {show(short)}", FAILS)


def _question(picture: Any, words: str) -> Any:
    from omma.chat import Image, message

    return message("user", Image(picture), words)


CIRCLE = (62, 62, 162, 162)


def known_picture(fill: str = "red", shape: str = "circle") -> Any:
    """A shape on white."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (224, 224), "white")
    pen = ImageDraw.Draw(picture)
    (pen.ellipse if shape == "circle" else pen.rectangle)(CIRCLE, fill=fill)
    return picture


def known_word() -> Any:
    """A word in the letters that Pillow brings itself."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", (224, 112), "white")
    ImageDraw.Draw(picture).text((30, 36), WORD, fill="black", font=ImageFont.load_default(40))
    return picture


def _overlap(found: tuple[float, float, float, float]) -> float:
    """Of a box and the circle's: their shared area, as part of what both cover."""
    wide = max(0.0, min(found[2], CIRCLE[2]) - max(found[0], CIRCLE[0]))
    high = max(0.0, min(found[3], CIRCLE[3]) - max(found[1], CIRCLE[1]))
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (found, CIRCLE)]
    return wide * high / max(sum(areas) - wide * high, 1e-9)
