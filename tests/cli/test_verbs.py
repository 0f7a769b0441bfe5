"""Every verb does its work on a toy model: text for people, JSON for machines, pictures on request."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PIL import Image

from omma.chat import Delta, Message, Options, Seen, Usage, Video
from omma.chat import Image as Part
from omma.cli import main
from omma.cli.app import verbs
from omma.errors import OutOfMemory, PromptTooLong
from omma.prep.rules import PUBLISHED
from omma.prep.visuals import shot
from omma.sample import Size
from omma.shape import Places
from tests.cli.conftest import Run

EXAMPLES = Path(__file__).parents[2] / "examples"
SHAPES = EXAMPLES / "shapes.png"
BOXES = '[{"bbox_2d":[95,142,357,492],"label":"red circle"}]'
POINT = '{"point_2d":[500,250],"label":"Save"}'


class Parrot:
    """Answers everything with the same text, piece by piece, and remembers what it was asked."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.heard: list[Sequence[Message]] = []
        self.wished: list[Options] = []

    def stream(self, spoken: Sequence[Message], options: Options) -> Iterator[Delta]:
        self.heard.append(spoken)
        self.wished.append(options)
        pictures = sum(len(m.parts) - 1 for m in spoken if m.role == "user")
        seen = tuple(Seen("image", Size(336, 252), Size(336, 252), "grid") for _ in range(pictures))
        for letter in self.text:
            yield Delta(letter)
        yield Delta("", "stop", Usage(7, len(self.text), 4), seen)


@pytest.fixture
def parrot(monkeypatch: pytest.MonkeyPatch) -> Parrot:
    """Stands in for every model a command names; set its `text`."""
    from omma.respond import Model

    bird = Parrot("blue")
    model = Model.__new__(Model)
    model.stream = bird.stream  # type: ignore[method-assign,assignment]
    monkeypatch.setattr("omma.load", lambda name, **how: model)
    return bird


@pytest.mark.parametrize("verb", verbs())
def test_the_help_of_a_verb_shows_examples_that_are_its_own(verb: str, omma: Run) -> None:
    ended = omma(verb, "--help")
    assert ended.code == 0
    assert f"omma {verb}" in ended.out.partition("Examples")[2]


def test_the_help_loads_only_what_it_is_printed_with() -> None:
    """What makes it quick: torch alone takes a second, numpy a tenth."""
    program = "import sys, omma.cli; omma.cli.main(['--help']); sys.exit(' '.join(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", program], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    loaded = {name.partition(".")[0] for name in ended.stderr.decode().split()} - sys.stdlib_module_names
    assert {"omma", "typer", "rich"} <= loaded
    assert not loaded & {"torch", "numpy", "PIL", "av", "tokenizers", "safetensors", "pydantic", "starlette"}


def test_without_a_verb_the_help_is_shown(omma: Run) -> None:
    assert omma().code == 0
    assert omma().out == omma("--help").out


def test_the_version_is_said(omma: Run) -> None:
    assert omma("--version").out.startswith("omma 0.")


def test_a_question_is_answered(omma: Run, parrot: Parrot) -> None:
    ended = omma("ask", SHAPES, "What colour is the square?", "--system", "Be short.")
    assert (ended.code, ended.out, ended.err) == (0, "blue\n", "")
    assert [m.role for m in parrot.heard[0]] == ["system", "user"]


def test_several_pictures_come_before_one_question(omma: Run, parrot: Parrot) -> None:
    omma("ask", SHAPES, EXAMPLES / "stars.png", "Which is darker?")
    assert len(parrot.heard[0][0].parts) == 3
    assert parrot.heard[0][0].text == "Which is darker?"


def test_an_answer_as_json_has_its_geometry_in_pixels(omma: Run, parrot: Parrot) -> None:
    parrot.text = BOXES
    told = json.loads(omma("ask", SHAPES, "Where?", "--json").out)
    assert told["boxes"] == [{"label": "red circle", "box": [31.9, 35.8, 120.0, 124.0], "score": None}]
    assert told["usage"] == {"prompt_tokens": 7, "completion_tokens": len(BOXES), "visual_tokens": 4}
    several = json.loads(omma("ask", SHAPES, SHAPES, "Where?", "--json").out)
    assert [seen["boxes"] for seen in several["seen"]] == [told["boxes"]] * 2
    assert "boxes" not in several


def test_found_boxes_are_written_and_drawn(omma: Run, parrot: Parrot, tmp_path: Path) -> None:
    parrot.text = BOXES
    ended = omma("find", SHAPES, "red circle", "--draw", tmp_path / "found.png")
    assert ended.out == "red circle  32  36  120  124\n"
    with Image.open(tmp_path / "found.png") as drawn:
        assert drawn.size == (336, 252)
    assert json.loads(omma("find", SHAPES, "red circle", "--json").out)["boxes"][0]["label"] == "red circle"


def test_json_has_a_path_as_it_was_given_and_sentences_a_short_one(
    omma: Run, parrot: Parrot, tmp_path: Path
) -> None:
    (deep := tmp_path / ("a" * 100) / ("b" * 100)).mkdir(parents=True)
    picture = deep / "shapes.png"
    picture.write_bytes(SHAPES.read_bytes())
    assert json.loads(omma("find", picture, "circle", "--json").out)["picture"] == str(picture)
    assert json.loads(omma("point", picture, "circle", "--json").out)["picture"] == str(picture)
    assert json.loads(omma("read", picture, "--json").out)["picture"] == str(picture)
    (clip := deep / "clip.mp4").touch()
    assert json.loads(omma("locate", clip, "a bus", "--json").out)["video"] == str(clip)
    assert str(picture) not in omma("find", picture, "circle").err
    data = f"data:image/png;base64,{base64.b64encode(SHAPES.read_bytes()).decode()}"
    assert len(json.loads(omma("find", data, "circle", "--json").out)["picture"]) < 120


def test_what_was_seen_is_called_by_its_whole_path(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 150) / "shapes.png"
    path.parent.mkdir()
    path.write_bytes(SHAPES.read_bytes())
    assert shot(Part(path), PUBLISHED, room=9999).name == str(path)
    with pytest.raises(PromptTooLong) as told:
        shot(Part(path), PUBLISHED, room=1)
    assert "…" in str(told.value)


def test_spans_are_written_in_seconds(omma: Run, parrot: Parrot, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.touch()
    parrot.text = '[{"start":1.5,"end":3.0}]'
    assert omma("locate", clip, "a bus stops").out == "a bus stops  1.50  3.00\n"
    told = json.loads(omma("locate", clip, "a bus stops", "--json").out)
    assert told["spans"] == [{"label": "a bus stops", "span": [1.5, 3.0], "score": None}]
    assert (still := omma("locate", SHAPES, "a bus stops")).code == 2
    assert "is a still picture; wanted a video" in still.err
    frames = [Image.new("RGB", (56, 56), (40 * i, 0, 0)) for i in range(3)]
    frames[0].save(tmp_path / "clip.gif", save_all=True, append_images=frames[1:], duration=500)
    assert omma("locate", tmp_path / "clip.gif", "a bus stops").out == "a bus stops  1.50  3.00\n"


def test_a_file_without_a_name_is_said_to_have_none(omma: Run, parrot: Parrot) -> None:
    ended = omma("find", "", "star")
    assert (ended.code, ended.out) == (2, "")
    assert "the name of a file is empty" in ended.err


def test_nothing_found_is_an_answer(omma: Run, parrot: Parrot) -> None:
    parrot.text = "[]"
    ended = omma("find", SHAPES, "cat")
    assert (ended.code, ended.out) == (0, "")
    assert "no cat" in ended.err


def test_a_page_is_read_as_text_markdown_html_and_json(omma: Run, parrot: Parrot) -> None:
    parrot.text = "Harbour News"
    assert omma("read", SHAPES).out == "Harbour News\n"
    parrot.text = '[{"bbox_2d":[0,0,500,100],"text_content":"Harbour News"}]'
    assert "Harbour News" in omma("read", SHAPES, "--as", "markdown").out
    assert omma("read", SHAPES, "--as", "html").out.startswith("<!doctype html>")
    told = json.loads(omma("read", SHAPES, "--json").out)
    assert told["lines"] == [{"text": "Harbour News", "box": [0.0, 0.0, 168.0, 25.2], "score": None}]


def test_a_point_is_given_in_pixels_and_none_is_a_failure(omma: Run, parrot: Parrot) -> None:
    parrot.text = POINT
    assert omma("point", SHAPES, 'the "Save" button').out == "168 63\n"
    parrot.text = "I cannot."
    assert omma("point", SHAPES, "the cat").code == 1


def test_limits_reach_the_model(omma: Run, parrot: Parrot, tmp_path: Path) -> None:
    omma("describe", SHAPES, "--max-pixels", "50000")
    assert parrot.heard[0][0].parts[0] == Part(str(SHAPES), max_pixels=50_000)
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"")
    omma("ask", SHAPES, clip, "What?", "--fps", "1", "--max-pixels", "50000")
    shown = parrot.heard[1][0].parts[:2]
    assert shown == (Part(str(SHAPES), max_pixels=50_000), Video(str(clip), fps=1.0, max_pixels=50_000))
    parrot.text = POINT
    omma("point", SHAPES, "x", "--max-tokens", "9")
    assert parrot.wished[2].max_tokens == 9


@pytest.mark.parametrize("verb", ["find", "point"])
def test_places_can_be_held_to_the_picture(verb: str, omma: Run, parrot: Parrot) -> None:
    parrot.text = BOXES
    omma(verb, SHAPES, "red circle")
    omma(verb, SHAPES, "red circle", "--inside")
    assert [type(options.shape) for options in parrot.wished] == [type(None), Places]


def test_a_machine_without_torch_is_told_so_by_the_doctor(omma: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr("omma.load", absent)
    monkeypatch.setitem(sys.modules, "torch", None)
    ended = omma("doctor", "--json")
    assert ended.code == 1
    findings = {finding["name"]: finding for finding in json.loads(ended.out)["findings"]}
    assert findings["computes on"]["state"] == "bad"
    assert "torch" in findings["omma-nano"]["what"]
    asked = omma("ask", "Hello?")
    assert asked.code == 2
    assert asked.err == "omma: torch is not installed; omma doctor says what is missing\n"


@pytest.mark.parametrize("link", ["same", "symbolic", "hard"])
@pytest.mark.parametrize("words", [["find", "circle"], ["read"], ["point", "circle"]], ids=lambda w: w[0])
def test_a_drawing_never_overwrites_its_picture(
    words: list[str], link: str, omma: Run, parrot: Parrot, tmp_path: Path
) -> None:
    picture, drawing = tmp_path / "a.png", tmp_path / "b.png"
    picture.write_bytes(SHAPES.read_bytes())
    match link:
        case "same":
            drawing = tmp_path / ".." / tmp_path.name / "a.png"
        case "symbolic":
            drawing.symlink_to(picture)
        case "hard":
            drawing.hardlink_to(picture)
    ended = omma(words[0], picture, *words[1:], "--draw", drawing)
    assert (ended.code, ended.out) == (2, "")
    assert "is the picture itself, and would be overwritten" in ended.err
    assert picture.read_bytes() == SHAPES.read_bytes()


def test_a_drawing_that_cannot_be_written_is_refused(omma: Run, parrot: Parrot, tmp_path: Path) -> None:
    parrot.text = BOXES
    ended = omma("find", SHAPES, "circle", "--draw", tmp_path / ("x" * 300 + ".png"))
    assert ended.code == 2
    assert "cannot be written" in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_conversation_is_held_over_a_pipe(
    omma: Run, parrot: Parrot, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = f"/picture {SHAPES}\nWhat colour is the square?\n\nSure?\n/new\nAgain?\n/quit\nnever\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    assert omma("chat").out == "blue\n" * 3
    first, second, third = parrot.heard
    assert len(first[0].parts) == 2
    assert [m.role for m in second] == ["user", "assistant", "user"]
    assert [m.text for m in third] == ["Again?"]


def test_a_conversation_as_json_has_nothing_but_objects(
    omma: Run, parrot: Parrot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("/help\nHello?\n"))
    ended = omma("chat", "--json")
    assert [json.loads(line)["text"] for line in ended.out.splitlines()] == ["blue"]
    assert "/picture FILE" in ended.err


@pytest.mark.parametrize("line", ["/picture nowhere.png", "/picture", "/dance"])
def test_a_mistake_ends_a_conversation_over_a_pipe(
    line: str, omma: Run, parrot: Parrot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{line}\nHello?\n"))
    ended = omma("chat")
    assert (ended.code, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 1


def test_a_toy_really_answers(omma: Run, toy: Path) -> None:
    told = json.loads(omma("ask", SHAPES, "What?", "--model", toy, "--max-tokens", "5", "--json").out)
    assert told["usage"]["completion_tokens"] <= 5
    assert told["seen"][0]["original"] == [336, 252]
    assert told["seen"][0]["tokens"] == told["usage"]["visual_tokens"] > 0


def _can_be_interrupted() -> None:
    """Tests that run in a shell's background are born deaf to it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_text_arrives_while_it_is_written(toy: Path) -> None:
    """Each piece is flushed: a reader sees the first one long before the last."""
    command = [sys.executable, "-m", "omma", "ask", "Hello", "--model", str(toy), "--max-tokens", "8000"]
    with subprocess.Popen(
        [*command, "--temperature", "0"], stdout=subprocess.PIPE, preexec_fn=_can_be_interrupted
    ) as running:
        assert running.stdout is not None
        os.read(running.stdout.fileno(), 1)
        assert running.poll() is None
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=60) == 130


def test_a_reader_that_leaves_ends_the_command_quietly(toy: Path) -> None:
    command = [sys.executable, "-m", "omma", "ask", "Hello", "--model", str(toy), "--max-tokens", "8000"]
    with subprocess.Popen(
        [*command, "--temperature", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        os.read(running.stdout.fileno(), 1)
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(timeout=60) == 141


def test_our_own_mistakes_are_said_in_one_line(
    omma: Run, parrot: Parrot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("over\nhere")

    monkeypatch.setattr("omma.load", fail)
    ended = omma("ask", "hi")
    assert ended.code == 70
    assert "RuntimeError: over here" in ended.err
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4 bytes"),
        OutOfMemory("a prompt of 7 tokens takes too much memory"),
    ],
    ids=repr,
)
def test_too_little_memory_is_no_mistake_of_ours(
    wrong: Exception, omma: Run, parrot: Parrot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise wrong

    monkeypatch.setattr("omma.load", fail)
    ended = omma("ask", "hi")
    assert ended.code == 71
    assert "memory" in ended.err
    assert len(ended.err.splitlines()) == 1


def test_main_gives_the_exit_code_back() -> None:
    assert main(["--version"]) == 0


def test_a_cut_answer_says_so(omma: Run, toy: Path) -> None:
    ended = omma("ask", "Go on", "--model", toy, "--max-tokens", "3", "--temperature", "3", "--seed", "5")
    assert (ended.code, ended.err) == (0, "(cut after 3 tokens; --max-tokens sets how many)\n")


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_answer_says_so(omma: Run, parrot: Parrot, text: str) -> None:
    parrot.text = text
    ended = omma("ask", "Hello")
    assert (ended.code, ended.out) == (0, text + "\n")
    assert ended.err.startswith("(the model ended before its first word; ")
    assert omma("ask", "Hello", "--json").err == ""


def test_a_label_cannot_break_the_table(omma: Run, parrot: Parrot) -> None:
    parrot.text = BOXES.replace("red circle", "red\\n\\u001b[31mcircle")
    assert omma("find", SHAPES, "circle").out == "red [31mcircle  32  36  120  124\n"


def test_a_run_that_cannot_be_kept_is_refused(omma: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    school = EXAMPLES.parent / "recipes" / "nano" / "school.py"
    ended = omma("train", f"{school}:see", "--out", tmp_path / "file" / "run")
    assert ended.code == 2
    assert "file/run" in ended.err


def test_bytes_that_are_no_text_end_a_conversation_over_a_pipe(toy: Path) -> None:
    command = [sys.executable, "-m", "omma", "chat", "--model", str(toy), "--max-tokens", "2"]
    done = subprocess.run(command, input=b"h\xff\n", capture_output=True)
    assert done.returncode == 0
