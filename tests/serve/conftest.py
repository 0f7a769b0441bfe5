"""One bundled model and one server for all tests of the wire that change nothing about them."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest

import omma
from tests.serve.desks import ModelDesk, Served, serving


@pytest.fixture(scope="session")
def desk() -> ModelDesk:
    return ModelDesk(omma.load("omma-nano"))


@pytest.fixture(scope="session")
def served(desk: ModelDesk) -> Iterator[Served]:
    with serving(desk) as served:
        yield served


@pytest.fixture(scope="session")
def client(served: Served) -> Iterator[openai.OpenAI]:
    with served.client() as client:
        yield client
