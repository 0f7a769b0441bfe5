"""omma: the whole life of a vision-language model in one house."""

from __future__ import annotations

from importlib import import_module

# Not typing's own: ctrl-C is met from omma.cli on, and as little as can be is loaded before.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from omma.chat import Answer, Delta, Image, Message, Options, Text, Video, message
    from omma.errors import OmmaError
    from omma.prep.actions import Action, Step
    from omma.prep.boxes import Box, Point
    from omma.prep.documents import Block, Document
    from omma.prep.polygons import Polygon
    from omma.prep.solids import Camera, Solid
    from omma.prep.spans import Sighting, Span
    from omma.prep.tables import Cell, Table
    from omma.remote.model import Remote
    from omma.respond import Model
    from omma.skills.read import Line, Page
    from omma.verbs import Reply

__version__ = "0.1.0"

# Each name and the room it is fetched from when it is first used: `import omma` itself loads nothing.
_ROOMS = {
    "Action": "prep.actions",
    "Answer": "chat",
    "Block": "prep.documents",
    "Box": "prep.boxes",
    "Camera": "prep.solids",
    "Cell": "prep.tables",
    "Delta": "chat",
    "Document": "prep.documents",
    "Image": "chat",
    "Line": "skills.read",
    "Message": "chat",
    "Model": "respond",
    "OmmaError": "errors",
    "Options": "chat",
    "Page": "skills.read",
    "Point": "prep.boxes",
    "Polygon": "prep.polygons",
    "Remote": "remote.model",
    "Reply": "verbs",
    "Sighting": "prep.spans",
    "Solid": "prep.solids",
    "Span": "prep.spans",
    "Step": "prep.actions",
    "Table": "prep.tables",
    "Text": "chat",
    "Video": "chat",
    "message": "chat",
}
__all__ = [
    "Action",
    "Answer",
    "Block",
    "Box",
    "Camera",
    "Cell",
    "Delta",
    "Document",
    "Image",
    "Line",
    "Message",
    "Model",
    "OmmaError",
    "Options",
    "Page",
    "Point",
    "Polygon",
    "Remote",
    "Reply",
    "Sighting",
    "Solid",
    "Span",
    "Step",
    "Table",
    "Text",
    "Video",
    "connect",
    "load",
    "message",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'omma' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"omma.{_ROOMS[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOMS])


def load(
    name: str | Path,
    *,
    device: str = "auto",
    dtype: str = "auto",
    quantize: str | None = None,
    adapter: str | Path | None = None,
    revision: str | None = None,
) -> Model:
    """Load a model: the bundled "omma-nano", a folder, or a hub name whose files are already on this machine.

    `device` and `dtype` are torch's words ("cpu", "cuda"; "float32", "bfloat16"), or "auto". `revision` is a
    branch, tag or commit of a hub name. `adapter` is a folder in PEFT's layout to put on the model; such a
    folder may also be named in the model's place. Raises UnknownModel, BadFolder, TensorMismatch, and
    UnknownOption for what this version cannot do.
    """
    from omma.engine.packed import lay_out, packable, widen
    from omma.errors import UnknownOption
    from omma.loading import load_folder
    from omma.respond import Model

    if quantize is not None:
        raise UnknownOption(f"quantize is {quantize!r}; this version loads models as they lie, leave it None")
    loaded = load_folder(name, device=device, dtype=dtype, adapter=adapter, revision=revision)
    widen(loaded.model)
    if packable(loaded.model):
        lay_out(loaded.model)
    return Model(loaded)


def connect(
    url: str,
    model: str | None = None,
    *,
    key: str | None = None,
    timeout: float = 600.0,
    dialect: str | None = None,
    retries: int = 3,
) -> Remote:
    """Connect to a server of OpenAI's form, omma's own, vLLM, SGLang and others: the verbs of a loaded model.

    `url` is its root ("http://localhost:8000/v1"; "/v1" may be left out). `model` is one that it offers, by
    default its first. `key` is sent as a bearer's. After `timeout` seconds of silence it is given up.
    `dialect` says how the model writes places (a name of prep.dialects) where neither the server nor the
    model's name does. What fails before the first piece and may go later is asked `retries` times more.
    Raises Unreachable, UnknownModel, UnknownOption and MissingExtra.
    """
    from omma.remote.model import Remote

    return Remote(url, model, key=key, timeout=timeout, dialect=dialect, retries=retries)
