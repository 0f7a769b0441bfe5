"""config.json and generation_config.json: read in both public spellings, written in the official one."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Protocol

from omma.errors import BadFolder
from omma.prep.tokenizer import VOCABULARY, Tokenizer, added_marks
from omma.spec import ModelSpec, TokenIds
from omma.weights import config_described, config_qwen, config_qwen2, config_qwen3
from omma.weights.config_parts import TURNS, settle_ids
from omma.weights.fields import Fields, read_json, write_json

CONFIG, GENERATION = "config.json", "generation_config.json"
_OURS = {"boxes", "turn_start"}  # what we say beside the public fields
_DESCRIBED = {"written_times"}  # and in a format of our own


def read_spec(folder: Path) -> ModelSpec:
    """The model a folder's config.json describes.

    Reads the official flat spelling and the nested one of transformers ≥ 5 (facts §4.4); an absent field has
    transformers' class default (facts §1.3). What no config says, the ids of turns, is as in the vocabulary
    beside it. Raises BadFolder for a file that is missing, broken, contradicts itself, or asks for something
    that is not built here.
    """
    path = folder / CONFIG
    config = Fields(read_json(path), path)
    if config.raw.get("model_type") == config_qwen.MODEL_TYPE:
        return _read_qwen(config, folder)
    format_ = _FORMATS.get(kind) if isinstance(kind := config.raw.get("model_type"), str) else None
    if format_ is None:
        known = ", ".join(map(repr, _FORMATS))
        raise BadFolder(f"{path}: model_type is {kind!r}; wanted one of {known}, {config_qwen.MODEL_TYPE!r}")
    _check_common(config)
    spec = format_.read(config)
    _check(replace(spec, ids=TokenIds(*range(len(fields(TokenIds))))), path)  # all but the ids
    spec = replace(spec, ids=settle_ids(spec.ids, config, _marks(spec, config, folder / VOCABULARY)))
    _check(spec, path)
    return spec


def write_config(spec: ModelSpec, folder: Path, *, dtype: str) -> None:
    """Write config.json in the family's official spelling, and a greedy generation_config.json beside it.

    `dtype` is the name of the weights' dtype, such as "bfloat16". A generation_config.json that is there is
    kept. Raises BadFolder if `spec` says something the public format cannot.
    """
    check_writable(spec)
    if spec.family == config_qwen.FAMILY:
        _write_qwen(spec, folder, dtype)
        return
    write_json(folder / CONFIG, _format_of(spec).public(spec, dtype))
    if not (folder / GENERATION).exists():
        ends = {"eos_token_id": [spec.ids.turn_end, spec.ids.end_of_text]}
        begins = {"bos_token_id": spec.ids.end_of_text, "pad_token_id": spec.ids.end_of_text}
        write_json(folder / GENERATION, {"do_sample": False} | begins | ends)


def check_writable(spec: ModelSpec) -> None:
    """Raise BadFolder if `spec` says something the public format cannot."""
    wrong = config_qwen.wrong_with(spec) if spec.family == config_qwen.FAMILY else _contradiction(spec)
    if wrong:
        raise BadFolder(f"the model cannot be written: {wrong}, and the public format knows no other value")


def read_generation(folder: Path) -> dict[str, Any]:
    """What generation_config.json says; nothing where there is none."""
    path = folder / GENERATION
    return read_json(path) if path.exists() else {}


def _marks(spec: ModelSpec, config: Fields, path: Path) -> dict[str, int]:
    """The marks of the vocabulary beside a config: read with care where the published ids cannot be meant.

    Raises BadFolder naming the file where nothing else could tell what begins a turn.
    """
    marks = added_marks(path)
    told = "turn_start" in config.inner("omma").raw or spec.ids.turn_start < spec.decoder.vocabulary
    if told or all(name in marks for name in TURNS):
        return marks
    tokenizer = Tokenizer.from_file(path)
    return {name: tokenizer.mark(name) for name in TURNS}


class _Format(Protocol):
    """A room for one public format; FAMILIES gives the family of each of its model types."""

    FAMILIES: dict[str, str]

    def read(self, config: Fields) -> ModelSpec: ...
    def checks(self, spec: ModelSpec) -> dict[str, bool]: ...
    def public(self, spec: ModelSpec, dtype: str) -> dict[str, Any]: ...


_FORMATS: dict[str, _Format] = {
    **dict.fromkeys(config_qwen2.FAMILIES, config_qwen2),
    **dict.fromkeys(config_qwen3.FAMILIES, config_qwen3),
    **dict.fromkeys(config_described.FAMILIES, config_described),
}


def _format_of(spec: ModelSpec) -> _Format:
    return next(room for room in _FORMATS.values() if spec.family in room.FAMILIES.values())


def _check(spec: ModelSpec, path: Path) -> None:
    """Refuse a spec that contradicts itself."""
    if wrong := _contradiction(spec):
        raise BadFolder(f"{path}: {wrong}")


def _contradiction(spec: ModelSpec) -> str | None:
    """What of a spec cannot be, or cannot be said in its public format; None if all is well."""
    return next((wrong for wrong, holds in _format_of(spec).checks(spec).items() if not holds), None)


def _check_common(config: Fields) -> None:
    """Refuse what no family's folder may say."""
    if config.raw.get("quantization_config") is not None:
        raise BadFolder(
            f"{config.where}: quantization_config is not read here; wanted the weights as they were trained"
        )
    ours = _OURS | (_DESCRIBED if config.raw.get("model_type") == config_described.MODEL_TYPE else set())
    if unread := sorted(config.inner("omma").raw.keys() - ours):
        raise BadFolder(f"{config.where}: omma has {', '.join(unread)}, which nobody reads; take it out")


def _read_qwen(config: Fields, folder: Path) -> ModelSpec:
    """The spec of a folder of 2023, whose generation_config.json says how one talks to it."""
    _check_common(config)
    if "turn_start" in config.inner("omma").raw:
        raise BadFolder(f"{config.where}: omma has turn_start, which the vocabulary decides; take it out")
    boxes = str(config.inner("omma").raw.get("boxes", "tags"))
    generation = Fields(read_generation(folder), folder / GENERATION)
    spec = config_qwen.read_qwen(config, generation, boxes)
    if wrong := config_qwen.wrong_with(spec):
        raise BadFolder(f"{config.where}: {wrong}")
    return spec


def _write_qwen(spec: ModelSpec, folder: Path, dtype: str) -> None:
    ours = {} if spec.boxes == "tags" else {"omma": {"boxes": spec.boxes}}
    write_json(folder / CONFIG, config_qwen.public_qwen(spec, dtype) | ours)
    asked = config_qwen.public_generation(spec)
    kept = read_generation(folder)
    if kept.get("chat_format") != asked["chat_format"]:
        write_json(folder / GENERATION, asked | kept | {"chat_format": asked["chat_format"]})
