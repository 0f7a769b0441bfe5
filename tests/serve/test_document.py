"""The OpenAPI document: it names what is there, and what is there keeps to it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from omma.serve import faults, routes
from omma.serve.media import MediaShelf
from omma.serve.quota import Quota
from omma.serve.routes import ROUTES
from omma.serve.wire import IGNORED
from tests.serve.desks import ScriptDesk, serving


def document() -> dict[str, Any]:
    with serving(ScriptDesk()) as served, served.http() as http:
        told: dict[str, Any] = http.get("/openapi.json").json()
        return told


def refs(body: Any) -> set[str]:
    """Everything that a document points at."""
    match body:
        case dict():
            own = {body["$ref"]} if isinstance(body.get("$ref"), str) else set()
            return own.union(*map(refs, body.values()))
        case list():
            return set().union(*map(refs, body))
        case _:
            return set()


def test_the_document_names_every_route_and_all_it_points_at_is_there() -> None:
    told = document()
    offered = {(path, method.upper()) for path, entry in told["paths"].items() for method in entry}
    assert offered == {(route.path.replace(":path", ""), route.method) for route in ROUTES}
    schemas = {f"#/components/schemas/{name}" for name in told["components"]["schemas"]}
    assert refs(told) <= schemas


def test_every_body_forbids_what_nobody_reads() -> None:
    schemas = document()["components"]["schemas"]
    for name in ("ChatRequest", "CompletionRequest", "ResponseRequest"):
        assert schemas[name]["additionalProperties"] is False


def test_every_refusal_is_described_as_it_is() -> None:
    for path, entry in document()["paths"].items():
        for operation in entry.values():
            for status, answer in operation["responses"].items():
                if status != "200":
                    schema = answer["content"]["application/json"]["schema"]
                    assert schema == {"$ref": "#/components/schemas/ErrorBody"}, (path, status)


def test_the_document_can_be_kept_in() -> None:
    from omma.serve.settings import Settings

    with serving(ScriptDesk(), Settings(docs=False, page=False)) as served, served.http() as http:
        assert [http.get(path).status_code for path in ("/openapi.json", "/docs", "/")] == [404] * 3


@pytest.mark.soak
def test_generated_requests_get_documented_answers(tmp_path: Path) -> None:
    """What the document allows may still be no picture or no schema: that check is left out."""
    program = Path(sys.executable).with_name("schemathesis")
    with serving(ScriptDesk(), shelf=MediaShelf(), gate=Quota()) as served:
        assert httpx.get(f"{served.address}/healthz", trust_env=False).status_code == 200
        done = subprocess.run(
            [
                *(program, "run", f"{served.address}/openapi.json", "--max-examples", "20"),
                *("--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--no-color"),
                *("--exclude-checks", "positive_data_acceptance"),
            ],
            capture_output=True,
            text=True,
            timeout=900,
            cwd=tmp_path,
        )
    assert done.returncode == 0, done.stdout[-6_000:]


def test_the_docs_name_every_route_every_code_and_every_ignored_field() -> None:
    wing = Path(routes.__file__).parent
    codes = {code for file in wing.glob("*.py") for code in re.findall(r'code="(\w+)"', file.read_text())}
    codes |= {code for _, _, code, _ in faults._TABLE}
    told = (Path(__file__).parents[2] / "docs" / "http.md").read_text()
    paths = {route.path.replace(":path", "") for route in ROUTES}
    missing = [
        name for name in [*codes, *paths, *IGNORED] if f"`{name}`" not in told and f" {name}`" not in told
    ]
    assert not missing
