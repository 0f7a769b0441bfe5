"""The command line's verbs over a server: the same words come out as with a model here."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from omma.chat import Answer, Message, Usage
from omma.cli.app import main
from tests.remote.foreign import Foreign, serving

SHAPES = Path(__file__).parents[2] / "examples" / "shapes.png"
BOX = '[{"bbox_2d":[100,200,300,400],"label":"circle"}]'


def answer(said: tuple[Message, ...], body: Mapping[str, Any]) -> Answer:
    return Answer(BOX if "Locate" in said[-1].text else "It is red.", "stop", Usage(9, 3))


@pytest.fixture
def foreign() -> Iterator[Foreign]:
    with serving(Foreign(answer)) as there:
        yield there


def test_ask_and_find_go_to_the_server(foreign: Foreign, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", str(SHAPES), "What colour?", "--connect", foreign.url]) == 0
    assert capsys.readouterr().out == "It is red.\n"
    assert main(["find", str(SHAPES), "circle", "--connect", foreign.url, "--json"]) == 0
    (box,) = json.loads(capsys.readouterr().out)["boxes"]
    assert box["label"] == "circle"
    assert [asked["model"] for asked in foreign.asked] == ["omma-nano"] * 2


def test_eval_goes_to_the_server_and_names_its_model(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "shapes.png").write_bytes(SHAPES.read_bytes())
    row = {"picture": "shapes.png", "question": "Which?", "task": "t", "truth": {"word": "It is red."}}
    (tmp_path / "a.jsonl").write_text(json.dumps(row | {"size": [336, 252]}) + "\n")
    with serving(Foreign(answer, model="Qwen3-VL")) as foreign:
        assert main(["eval", str(tmp_path / "a.jsonl"), "--connect", foreign.url, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    (suite,) = told["suites"]
    assert (suite["value"], suite["unanswered"]) == (1.0, [])
    assert told["model"] == "Qwen3-VL"


def test_the_key_is_read_from_the_environment(foreign: Foreign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMMA_KEY", "sesame")
    assert main(["ask", "Hello?", "--connect", foreign.url]) == 0
    assert set(foreign.keys) == {"Bearer sesame"}


def test_what_is_wrong_is_one_sentence(foreign: Foreign, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "Hello?", "--connect", foreign.url, "--model", "gpt"]) == 2
    assert "no model 'gpt'" in capsys.readouterr().err
    assert main(["ask", "Hello?", "--connect", foreign.url, "--device", "cpu"]) == 2
    assert "--device" in capsys.readouterr().err
    assert main(["ask", "Hello?", "--connect", "nowhere"]) == 2
    assert "address" in capsys.readouterr().err


def test_torch_is_not_needed(foreign: Foreign) -> None:
    import subprocess

    program = (
        "import sys; from omma.cli.app import main; main(sys.argv[1:]); assert 'torch' not in sys.modules"
    )
    words = ["find", str(SHAPES), "circle", "--connect", foreign.url]
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("circle")
