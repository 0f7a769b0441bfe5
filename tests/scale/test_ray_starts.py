"""What Ray says when it does not start is told as ours."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from omma.errors import BadInput, NotStarted, OmmaError
from omma.scale.clean_ray import connected


def refusing(error: Exception) -> ModuleType:
    """A Ray that does not start."""

    def init(**_: Any) -> None:
        raise error

    ray = ModuleType("ray")
    vars(ray).update(is_initialized=lambda: False, init=init, data=ModuleType("ray.data"))
    return ray


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (Exception("The current node timed out during startup. This could"), NotStarted, "timed out"),
        (ConnectionError("nobody"), BadInput, "no Ray cluster answers at 'there:1'"),
    ],
)
def test_a_cluster_that_does_not_come_up_is_told(
    error: Exception, kind: type[OmmaError], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = refusing(error)
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setitem(sys.modules, "ray.data", ray.data)
    with pytest.raises(kind, match=told):
        connected("there:1")


def test_other_mistakes_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = refusing(ValueError("a mistake"))
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setitem(sys.modules, "ray.data", ray.data)
    with pytest.raises(ValueError, match="a mistake"):
        connected(None)
