"""What SECURITY.md claims is held by tests that are there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from bench.results import ROOT

PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", PAGE)

UNPACKS = {"pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle", "jinja2"}
RUNS = {"eval", "exec", "compile", "torch.load", "np.load", "numpy.load", "yaml.load", "os.system"}


def test_every_test_that_a_claim_names_is_there() -> None:
    missing = [
        f"{path}::{name}"
        for path, name in NAMED
        if not (ROOT / path).exists() or f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8")
    ]
    assert len(NAMED) > 40
    assert not missing


def test_every_claim_at_a_border_names_its_test() -> None:
    borders = PAGE.partition("## Borders")[2].partition("## What is not defended")[0]
    claims = re.split(r"\n- ", borders)[1:]
    bare = [
        claim[:60] for claim in claims if "::test_" not in claim and not claim.startswith("Fetching is off")
    ]
    assert len(claims) > 20
    assert not bare


def test_what_the_page_says_of_defaults_is_so() -> None:
    from omma.host.limits import SAFE
    from omma.serve.connection import HEAD_BYTES, HEAD_SECONDS, STALLED_SECONDS
    from omma.serve.fetch import FetchLimits
    from omma.serve.media import ShelfLimits
    from omma.serve.settings import Settings

    settings, fetched = Settings(), FetchLimits()
    assert (HEAD_SECONDS, HEAD_BYTES, STALLED_SECONDS) == (10.0, 64 << 10, 30.0)
    assert (settings.body, settings.media) == (32 << 20, 256 << 20)
    assert (settings.arriving, settings.deadline) == (60.0, 600.0)
    assert (fetched.bytes, fetched.seconds, fetched.redirects) == (64 << 20, 20.0, 3)
    assert fetched.ports == {80, 443}
    assert (SAFE.pixels, SAFE.frames, SAFE.seconds) == (64_000_000, 1_000_000, 6 * 3600)
    assert ShelfLimits().seconds == 3600


def dangers(source: str) -> Iterator[str]:
    """Whatever would make code or objects of a stranger's bytes."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names if alias.name.split(".")[0] in UNPACKS)
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in UNPACKS:
                yield module
            case ast.Call(func=ast.Name(id=name)) if name in RUNS:
                yield name
            case ast.Call(func=ast.Attribute(attr=name, value=ast.Name(id=room))) if f"{room}.{name}" in RUNS:
                yield f"{room}.{name}"
            case ast.keyword(
                arg="shell" | "trust_remote_code" | "allow_pickle", value=ast.Constant(value=True)
            ):
                yield str(node.arg)


def test_nothing_in_the_house_makes_code_or_objects_of_bytes() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {danger}"
        for path in sorted((ROOT / "src").rglob("*.py"))
        for danger in dangers(Path(path).read_text(encoding="utf-8"))
    }
    assert not found


def test_a_danger_is_seen() -> None:
    for source in (
        "import pickle",
        "from jinja2 import Template",
        "eval('1')",
        "torch.load(f)",
        "run(c, shell=True)",
    ):
        assert list(dangers(source)), source
    assert not list(dangers("model.eval()\nre.compile('a')\nrun(c, shell=False)"))
