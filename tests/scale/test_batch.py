"""A batch answers each row exactly once: alone, over a server, killed at any moment and gone on with."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import omma
from omma.chat import Answer, Message, Options, Usage
from omma.cli.app import main
from omma.errors import BadData, MissingFile, UnknownOption
from omma.scale.batch import Alone, run_batch
from omma.scale.ledger import Ledger
from omma.scale.rows import answer_line, read_asked, read_rows
from omma.shape import Calls, Schema
from tests.remote.foreign import Foreign, serving

ROOT = Path(__file__).parents[2]
SHAPES = ROOT / "examples" / "shapes.png"


def echo(said: tuple[Message, ...], body: Mapping[str, Any]) -> Answer:
    return Answer(f"You said {said[-1].text}", "stop", Usage(1, 2))


def row(name: str, text: str = "", **body: Any) -> dict[str, Any]:
    said = {"messages": [{"role": "user", "content": text or name}], **body}
    return {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": said}


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    return path


def lines(path: Path) -> dict[str, dict[str, Any]]:
    told = [json.loads(line) for line in path.read_text().splitlines()]
    named = {one["custom_id"]: one for one in told}
    assert len(named) == len(told), "a row is there twice"
    return named


def test_what_changes_nothing_may_stand_in_a_body_and_an_answer_of_nothing_is_refused(tmp_path: Path) -> None:
    unheard = {"service_tier": "auto", "prompt_cache_key": "a", "logprobs": False, "temperature": None}
    source = write(tmp_path / "in.jsonl", row("a", **unheard), row("b", max_completion_tokens=0))
    first, second = read_rows(source)
    assert read_asked(first, tmp_path).options == Options()
    with pytest.raises(UnknownOption, match="max_tokens is 0"):
        read_asked(second, tmp_path)


@pytest.fixture
def foreign() -> Iterator[Foreign]:
    with serving(Foreign(echo)) as there:
        yield there


def workers(foreign: Foreign, rows: int = 4) -> Alone:
    there = omma.connect(foreign.url, retries=0)
    return Alone(there, there.name, rows)


def test_rows_of_both_forms_come_back_in_theirs(foreign: Foreign, tmp_path: Path) -> None:
    own = {"messages": [{"role": "user", "content": "b"}], "max_tokens": 5}
    write(tmp_path / "in.jsonl", row("a"), own)
    report = run_batch(tmp_path / "in.jsonl", tmp_path / "out.jsonl", workers(foreign))
    assert report.form() == {"rows": 2, "skipped": 0, "answered": 2, "failed": 0, "waiting": 0}
    told = lines(tmp_path / "out.jsonl")
    body = told["a"]["response"]["body"]
    assert body["choices"][0]["message"] == {"role": "assistant", "content": "You said a"}
    assert (told["a"]["response"]["status_code"], told["a"]["error"]) == (200, None)
    assert (told["line-2"]["text"], told["line-2"]["finish_reason"]) == ("You said b", "stop")
    assert [asked.get("max_tokens") for asked in foreign.asked] == [None, 5]


def test_the_official_client_reads_the_answers(foreign: Foreign, tmp_path: Path) -> None:
    types = pytest.importorskip("openai.types.chat")
    write(tmp_path / "in.jsonl", row("a", tools=[{"type": "function", "function": {"name": "f"}}]))
    foreign.answer = lambda said, body: Answer(
        'So.\n<tool_call>\n{"name": "f", "arguments": {"x": 1}}\n</tool_call>', "stop", Usage(1, 1)
    )
    run_batch(tmp_path / "in.jsonl", tmp_path / "out.jsonl", workers(foreign))
    body = lines(tmp_path / "out.jsonl")["a"]["response"]["body"]
    choice = types.ChatCompletion.model_validate(body).choices[0]
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", "So.")
    assert choice.message.tool_calls[0].function.arguments == '{"x": 1}'


BAD = {
    "part": row("part", messages=[{"role": "user", "content": [{"type": "sound"}]}]),
    "option": row("option", temprature=1),
    "value": row("value", temperature=-1),
    "n": row("n", n=2),
    "url": row("url") | {"url": "/v1/embeddings"},
    "model": row("model", model="gpt"),
    "end": row("end", messages=[{"role": "assistant", "content": "Hi."}]),
    "picture": row(
        "picture", messages=[{"role": "user", "content": [{"type": "image_url", "image_url": "no.png"}]}]
    ),
}


def test_a_row_that_cannot_be_answered_ends_alone(foreign: Foreign, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", *BAD.values(), row("good"))
    report = run_batch(tmp_path / "in.jsonl", tmp_path / "out.jsonl", workers(foreign))
    assert (report.answered, report.failed) == (1, len(BAD))
    told = lines(tmp_path / "out.jsonl")
    codes = {name: one["error"] and one["error"]["code"] for name, one in told.items()}
    assert codes == {
        "part": "BadMessage",
        "option": "UnknownOption",
        "value": "UnknownOption",
        "n": "UnknownOption",
        "url": "BadMessage",
        "model": "UnknownOption",
        "end": "BadMessage",
        "picture": "MissingFile",
        "good": None,
    }


def test_pictures_lie_beside_the_file(foreign: Foreign, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(SHAPES.read_bytes())
    shown = {"type": "image_url", "image_url": {"url": "a.png"}}
    write(tmp_path / "in.jsonl", row("a", messages=[{"role": "user", "content": [shown]}]))
    assert not run_batch(tmp_path / "in.jsonl", tmp_path / "out.jsonl", workers(foreign)).failed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense\n", "line 1 is no JSON"),
        (json.dumps(row("a")) + "\n\n" + json.dumps(row("a")) + "\n", "line 3: custom_id 'a' is there twice"),
        ('{"a": 1}\n', "line 1 is no row"),
        ("", "is empty; wanted rows"),
        ("\n \n", "is empty; wanted rows"),
        (json.dumps(row("a") | {"custom_id": 7}) + "\n", "custom_id is 7"),
        (f'{{"messages": []}}\n{json.dumps(row("line-1"))}\n', "line 2: a row without a custom_id is called"),
        (f'{json.dumps(row("line-2"))}\n{{"messages": []}}\n', "line 2: without a custom_id it is called"),
        ('{"messages": ' + "1" * 5000 + "}", "a number in it has more than 4,300 figures"),
    ],
    ids=["json", "twice", "row", "nothing", "blank", "name", "made", "makes", "figures"],
)
def test_a_broken_input_is_refused_before_anything_is_asked(
    foreign: Foreign, tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "in.jsonl").write_text(text)
    with pytest.raises(BadData, match=words):
        run_batch(tmp_path / "in.jsonl", tmp_path / "out.jsonl", workers(foreign))
    assert not foreign.asked
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_file_in_utf16_is_refused_as_a_whole(foreign: Foreign, tmp_path: Path, coding: str) -> None:
    (tmp_path / "in.jsonl").write_bytes("".join(json.dumps(row(n)) + "\n" for n in "abc").encode(coding))
    with pytest.raises(BadData, match="is UTF-16; wanted UTF-8"):
        run_batch(tmp_path / "in.jsonl", tmp_path / "out.jsonl", workers(foreign))


def test_a_pipe_is_no_input_and_a_link_to_the_input_no_output(foreign: Foreign, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MissingFile, match="is a device or a pipe; wanted a file"):
        run_batch(tmp_path / "pipe", tmp_path / "out.jsonl", workers(foreign))
    source = write(tmp_path / "in.jsonl", row("a"))
    (tmp_path / "out.jsonl").hardlink_to(source)
    with pytest.raises(BadData, match="is the input"):
        run_batch(source, tmp_path / "out.jsonl", workers(foreign))


def test_a_line_that_is_no_row_fails_alone(foreign: Foreign, tmp_path: Path) -> None:
    broken = ['{"custom_id": "cut", "body": {"mess', "[1]", '{"custom_id": "empty"}', "\udcff", "{" * 9999]
    text = "\n".join([json.dumps(row("a")), *broken, json.dumps(row("b"))])
    (tmp_path / "in.jsonl").write_bytes(text.encode("utf-8", "surrogateescape"))
    report = run_batch(tmp_path / "in.jsonl", tmp_path / "out.jsonl", workers(foreign))
    assert (report.rows, report.answered, report.failed) == (7, 2, 5)
    told = lines(tmp_path / "out.jsonl")
    wrong = {name: one["error"]["message"].partition(", ")[2] for name, one in told.items() if one["error"]}
    assert {name: said.partition(":")[0] for name, said in wrong.items()} == {
        "line-2": "line 2 is no JSON",
        "line-3": "line 3 is no row; wanted an object with messages, or with custom_id, url and body",
        "empty": "line 4 is no row; wanted an object with messages, or with custom_id, url and body",
        "line-5": "line 5 is no JSON",
        "line-6": "line 6 is no JSON",
    }
    assert told["line-2"]["response"]["status_code"] == 400  # it stood in a batch of OpenAI's form
    assert run_batch(tmp_path / "in.jsonl", tmp_path / "out.jsonl", workers(foreign)).skipped == 7


CALLED = [{"type": "function", "function": {"name": name}} for name in "fg"]


@pytest.mark.parametrize(
    ("choice", "names", "must", "several"),
    [
        (None, "fg", False, True),
        ("auto", "fg", False, True),
        ("required", "fg", True, True),
        (CALLED[1], "g", True, False),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": CALLED[:1]}}, "f", False, True),
    ],
    ids=str,
)
def test_a_choice_of_tools_is_read_as_the_server_reads_it(
    tmp_path: Path, choice: object, names: str, must: bool, several: bool
) -> None:
    (asked,) = read_rows(write(tmp_path / "in.jsonl", row("a", tools=CALLED, tool_choice=choice)))
    options = read_asked(asked, tmp_path).options
    assert isinstance(options.shape, Calls)
    assert "".join(tool.name for tool in options.tools) == names
    assert "".join(name for name, _ in options.shape.tools) == names
    assert (options.shape.must, options.shape.several) == (must, several)


def test_with_the_choice_none_no_tool_is_told_of(tmp_path: Path) -> None:
    (asked,) = read_rows(write(tmp_path / "in.jsonl", row("a", tools=CALLED, tool_choice="none")))
    assert read_asked(asked, tmp_path).options == Options()


JSON = {"type": "json_object"}
NAMED = {"name": "a", "schema": {"type": "object"}, "strict": True, "description": "A."}
SCHEMA = {"type": "json_schema", "json_schema": NAMED}
STRANGE = {"type": "json_schema", "json_schema": NAMED | {"form": 1}}


def test_what_says_one_thing_may_be_said_twice(tmp_path: Path) -> None:
    body = {"max_tokens": 4, "max_completion_tokens": 4, "response_format": SCHEMA}
    (asked,) = read_rows(write(tmp_path / "in.jsonl", row("a", **body)))
    assert read_asked(asked, tmp_path).options == Options(max_tokens=4, shape=Schema({"type": "object"}))


def test_what_stands_beside_a_body_or_twice_fails_its_row_alone(foreign: Foreign, tmp_path: Path) -> None:
    twice = [json.dumps(row(name)).replace(old, new) for name, old, new in TWICE]
    rows = [json.dumps(one) for one in (row("beside") | {"temperature": 0}, row("good") | {"id": None})]
    (tmp_path / "in.jsonl").write_text("\n".join([*rows, *twice]))
    run_batch(tmp_path / "in.jsonl", tmp_path / "out.jsonl", workers(foreign))
    told = {name: one["error"] for name, one in lines(tmp_path / "out.jsonl").items()}
    assert told.pop("good") is None
    assert "temperature: nobody reads that beside body" in told.pop("beside")["message"]
    assert {name: one["message"] for name, one in told.items()} == {
        "url": "an object of the row has 'url' twice; take one out",
        "role": "an object of the row has 'role' twice; take one out",
    }
    assert len(foreign.asked) == 1


TWICE = [
    ("url", '"url":', '"url": "/v1/embeddings", "url":'),
    ("role", '"role":', '"role": "system", "role":'),
]


def test_half_of_a_character_fails_its_row_alone(foreign: Foreign, tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", row("a", "a\ud800b"), row("b"))
    report = run_batch(source, tmp_path / "out.jsonl", workers(foreign))
    assert (report.answered, report.failed) == (1, 1)
    assert lines(tmp_path / "out.jsonl")["a"]["error"]["code"] == "BadMessage"


@pytest.mark.parametrize("thoughts", ["", "Hm.\n</think>\n\n"])
def test_calls_of_a_row_of_ours_stand_beside_its_text(tmp_path: Path, thoughts: str) -> None:
    asked = {"messages": [{"role": "user", "content": "?"}], "tools": CALLED}
    with_tools, without = read_rows(write(tmp_path / "in.jsonl", asked, asked | {"tools": []}))
    for gap in ("", " "):  # however the model, or a server, sets its JSON
        call = f'<tool_call>\n{{"name":{gap}"f",{gap}"arguments":{gap}{{"a":{gap}1}}}}\n</tool_call>'
        answer = Answer(f"{thoughts}Look.\n{call}", "stop", Usage(1, 2))
        told = answer_line(with_tools, answer, "m", called_for=True)
        assert (told["text"], told["calls"]) == (f"{thoughts}Look.", [{"name": "f", "arguments": {"a": 1}}])
    assert answer_line(with_tools, Answer("Hi.", "stop", Usage(1, 2)), "m", called_for=True)["calls"] == []
    assert "calls" not in answer_line(without, answer, "m")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"tool_choice": "required"}, "there are no tools"),
        ({"tools": CALLED, "tool_choice": {"type": "function", "function": {"name": "h"}}}, "wanted f, g"),
        ({"tools": CALLED, "tool_choice": 3}, "tool_choice is 3; wanted none"),
        ({"tools": CALLED, "parallel_tool_calls": "x"}, "parallel_tool_calls is 'x'"),
        ({"tools": CALLED, "response_format": JSON}, "response_format and tools hold the answer to two"),
        ({"tools": CALLED, "regex": "a"}, "regex and tools hold the answer to two things"),
        ({"regex": "a", "response_format": JSON}, "regex and a format, places or tools say two things"),
        ({"regex": 5}, "regex is 5; wanted a text of 1 to 4,096 letters"),
        ({"regex": ""}, "regex is ''; wanted"),
        ({"regex": "a" * 4097}, "regex is 'a{50}…'; wanted"),
        ({"response_format": JSON | {"schema": {}}}, "response_format.schema is not known here"),
        ({"response_format": {"type": "text", "strict": True}}, "response_format.strict is not known here"),
        ({"response_format": SCHEMA | {"strict": True}}, "response_format.strict is not known here"),
        ({"response_format": STRANGE}, "response_format.json_schema.form is not known here"),
        (
            {"max_tokens": 4, "max_completion_tokens": 5},
            "max_tokens and max_completion_tokens say two things",
        ),
        ({"stream_options": {}}, "stream_options is for streams"),
        ({"logprobs": True}, "log-probabilities are not written"),
        ({"temprature": 1}, "known: (?!.*logprobs).*tool_choice"),
    ],
    ids=str,
)
def test_what_a_row_may_not_wish_is_told(tmp_path: Path, body: dict[str, Any], words: str) -> None:
    (asked,) = read_rows(write(tmp_path / "in.jsonl", row("a", **body)))
    with pytest.raises(UnknownOption, match=words):
        read_asked(asked, tmp_path)


def test_a_finished_run_asks_nothing_again(foreign: Foreign, tmp_path: Path) -> None:
    source, out = write(tmp_path / "in.jsonl", row("a"), row("b", n=3)), tmp_path / "out.jsonl"
    run_batch(source, out, workers(foreign))
    before = out.read_bytes()
    report = run_batch(source, out, workers(foreign))
    assert (report.skipped, report.answered, report.failed) == (2, 0, 1)
    assert out.read_bytes() == before
    assert len(foreign.asked) == 1


def test_a_torn_last_line_is_taken_off_and_asked_again(foreign: Foreign, tmp_path: Path) -> None:
    source, out = write(tmp_path / "in.jsonl", *(row(f"r{i}") for i in range(4))), tmp_path / "out.jsonl"
    run_batch(source, out, workers(foreign, 1))
    whole = out.read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    for cut in range(last + 1, len(whole), 37):
        out.write_bytes(whole[:cut])
        report = run_batch(source, out, workers(foreign, 1))
        assert (report.torn, report.skipped, report.answered) == (True, 3, 1)
        assert out.read_bytes() == whole


@pytest.mark.parametrize("change", ["answers another", "row", "model", "alien", "twice"])
def test_an_output_of_something_else_is_refused_and_left_as_it_is(
    foreign: Foreign, tmp_path: Path, change: str
) -> None:
    source, out = write(tmp_path / "in.jsonl", row("a"), row("b")), tmp_path / "out.jsonl"
    run_batch(source, out, workers(foreign))
    match change:
        case "answers another":
            write(source, row("b"))
        case "row":
            write(source, row("a", "other words"), row("b"))
        case "model":
            foreign.model = "omma-other"
        case "alien":
            out.write_text('{"my": "notes"}\n')
        case "twice":
            out.write_bytes(out.read_bytes() * 2)
    before = out.read_bytes()
    with pytest.raises(BadData, match="name "):
        run_batch(source, out, workers(foreign))
    assert out.read_bytes() == before


STRANGE_FILES = [
    *(b"my notes", b'{"my": "notes"', b"\x00\x00", b'{"custom_id": "a"}\nnotes'),
    *(b'{"custom_id": "a", "messages": []}\n', b"notes\n", b"\xff\n", b"[]\n"),
]


@pytest.mark.parametrize("raw", STRANGE_FILES)
def test_nothing_is_taken_off_a_strangers_file(foreign: Foreign, tmp_path: Path, raw: bytes) -> None:
    source, out = write(tmp_path / "in.jsonl", row("a")), tmp_path / "notes.txt"
    out.write_bytes(raw)
    with pytest.raises(BadData, match="name a file that is new") as refused:
        run_batch(source, out, workers(foreign))
    assert "Error" not in str(refused.value)
    assert out.read_bytes() == raw


@pytest.mark.parametrize("name", ["pipe", "/dev/full", "/dev/zero", "."])
def test_what_is_no_plain_file_is_refused_at_once(foreign: Foreign, tmp_path: Path, name: str) -> None:
    source, out = write(tmp_path / "in.jsonl", row("a")), tmp_path / name
    if name == "pipe":
        os.mkfifo(out)
    with pytest.raises(MissingFile, match=r"no plain file|is a directory"):
        run_batch(source, out, workers(foreign))
    assert not foreign.asked


def test_a_full_disk_ends_the_run_and_the_same_command_goes_on(foreign: Foreign, tmp_path: Path) -> None:
    source, out = write(tmp_path / "in.jsonl", *(row(f"r{i}") for i in range(40))), tmp_path / "out.jsonl"
    run_batch(source, tmp_path / "unbroken.jsonl", workers(foreign))
    command = f"ulimit -f 6; exec {sys.executable} -m omma batch {source} {out} --connect {foreign.url}"
    full = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert full.returncode == 75, full.stderr
    assert "the same command goes on" in full.stderr
    assert "Traceback" not in full.stderr
    assert out.read_bytes().endswith(b"\n")  # nothing is torn
    kept = lines(out)
    assert 0 < len(kept) < 40
    report = run_batch(source, out, workers(foreign))
    assert (report.torn, report.skipped, report.answered) == (False, len(kept), 40 - len(kept))
    assert lines(out) == lines(tmp_path / "unbroken.jsonl")


def test_two_runs_do_not_write_one_file(tmp_path: Path) -> None:
    with Ledger(tmp_path / "out.jsonl"), pytest.raises(BadData, match="another run"):
        Ledger(tmp_path / "out.jsonl")


def test_what_passes_has_no_line_and_is_asked_by_the_next_run(foreign: Foreign, tmp_path: Path) -> None:
    source, out = write(tmp_path / "in.jsonl", row("a"), row("b")), tmp_path / "out.jsonl"
    foreign.no = [(500, {}, b"down")]
    report = run_batch(source, out, workers(foreign, 1))
    assert (report.answered, report.waiting) == (1, 1)
    report = run_batch(source, out, workers(foreign, 1))
    assert (report.skipped, report.answered, report.waiting) == (1, 1, 0)
    assert set(lines(out)) == {"a", "b"}


def test_the_command_says_how_it_went_by_its_exit_code(
    foreign: Foreign, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = write(tmp_path / "in.jsonl", row("a"), row("b", n=2)), tmp_path / "out.jsonl"
    words = ["batch", str(source), str(out), "--connect", foreign.url, "--json"]
    assert main(words) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["rows"], told["answered"], told["failed"]) == (2, 1, 1)
    write(source, row("a"))
    out.unlink()
    assert main(words) == 0
    write(source, row("a"), row("a"))
    assert main(words) == 2


KILLS = 4


def test_killed_at_any_moment_and_gone_on_with_it_is_as_if_unbroken(tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", *(row(f"r{i}", f"number {i}") for i in range(60)))
    dice = random.Random(0)
    moments = [dice.randrange(1, 40) for _ in range(KILLS)]
    at, answered = threading.Event(), 0
    wanted = 0

    def counting(said: tuple[Message, ...], body: Mapping[str, Any]) -> Answer:
        nonlocal answered
        answered += 1
        if answered >= wanted:
            at.set()
        return echo(said, body)

    with serving(Foreign(counting)) as foreign:
        run_batch(source, tmp_path / "unbroken.jsonl", workers(foreign))
        words = ["batch", str(source), str(tmp_path / "out.jsonl"), "--connect", foreign.url, "--rows", "3"]
        for moment in moments:
            at.clear()
            answered, wanted = 0, moment
            process = subprocess.Popen([sys.executable, "-m", "omma", *words], stderr=subprocess.DEVNULL)
            while not at.wait(0.05) and process.poll() is None:
                pass
            process.send_signal(signal.SIGKILL)
            process.wait()
        done = subprocess.run(
            [sys.executable, "-m", "omma", *words, "--json"], capture_output=True, text=True, env=os.environ
        )
    assert done.returncode == 0, done.stderr
    assert lines(tmp_path / "out.jsonl") == lines(tmp_path / "unbroken.jsonl")
    assert json.loads(done.stdout)["skipped"] > 0


def test_a_model_of_this_process_answers_a_batch_as_it_answers_alone(tmp_path: Path) -> None:
    shown = {"type": "image_url", "image_url": str(SHAPES)}
    asked = [
        row("a", messages=[{"role": "user", "content": [shown, {"type": "text", "text": "What is this?"}]}])
    ]
    asked += [row("b", "Hello?", max_tokens=4), row("c", "Hello?", max_tokens=4, n=2)]
    source = write(tmp_path / "in.jsonl", *asked)
    nano = omma.load("omma-nano")
    report = run_batch(source, tmp_path / "out.jsonl", Alone(nano, nano.name))
    told = lines(tmp_path / "out.jsonl")
    assert (report.answered, report.failed) == (2, 1)
    said = told["a"]["response"]["body"]["choices"][0]["message"]["content"]
    assert said == nano.ask(SHAPES, "What is this?").text


@pytest.mark.soak
def test_ray_writes_the_same_lines_as_one_process(foreign: Foreign, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'omma[ray]'")
    source = write(tmp_path / "in.jsonl", *(row(f"r{i}") for i in range(20)), *BAD.values())
    run_batch(source, tmp_path / "alone.jsonl", workers(foreign))
    done = subprocess.run(
        [sys.executable, "-m", "tests.scale.batch_on_ray", str(tmp_path), foreign.url],
        cwd=ROOT,
        env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout.splitlines()[-1])
    assert (first["answered"], first["failed"]) == (20, len(BAD))
    assert (second["answered"], second["skipped"]) == (0, 20 + len(BAD))
    assert lines(tmp_path / "ray.jsonl") == lines(tmp_path / "alone.jsonl")
