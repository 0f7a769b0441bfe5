"""A hub's files come whole or not at all: gone on with, checked, and afterwards had without a network."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import torch

from omma.cli.hubs import pull as verb
from omma.errors import BadFolder, UnknownModel, UnknownOption, Unreachable, UnsafeFile
from omma.hub import pull, wrong_files
from omma.loading import load_folder, resolve
from omma.model.vlm import Vlm
from omma.prep.processor import Processor
from omma.prep.rules import PictureRules
from omma.prep.vocabulary import train_tokenizer
from omma.presets import tiny
from omma.spec import ModelSpec
from omma.weights import write_folder

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NAME = "Some/Model"


class Hub:
    """A hub on this machine with one model: its files, what was asked of it, and how it misbehaves."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str | None]] = []  # a file, and from which byte on
        self.breaks_after: dict[str, int] = {}  # bytes of a file before the line goes dead, for good
        self.spoils: set[str] = set()
        self.status: dict[str, int] = {}
        hub = self

        class Answers(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                hub.answer(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        """Tell of the model, or send a file from the byte that was asked for."""
        if found := re.fullmatch(rf"/api/models/{NAME}/revision/([^?]+)(\?.*)?", to.path):
            if found[1] not in ("main", "v1", COMMIT):
                return self._send(to, 404, b"", {"X-Error-Code": "RevisionNotFound"})
            return self._send(to, 200, json.dumps(self._listing()).encode())
        if found := re.fullmatch(rf"/{NAME}/resolve/{COMMIT}/(.+)", to.path):
            return self._file(to, found[1])
        return self._send(to, 404, b"", {"X-Error-Code": "RepoNotFound"})

    def _listing(self) -> dict[str, Any]:
        told = []
        for name, content in self.files.items():
            git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            one: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": git}
            if name.endswith(".safetensors"):
                sha = hashlib.sha256(content).hexdigest()
                one["lfs"] = {"size": len(content), "sha256": sha, "pointerSize": 130}
            told.append(one)
        return {"id": NAME, "modelId": NAME, "sha": COMMIT, "siblings": told, "tags": [], "private": False}

    def _file(self, to: BaseHTTPRequestHandler, name: str) -> None:
        asked = to.headers.get("Range")
        self.asked.append((name, asked))
        content = self.files[name]
        if name in self.spoils:
            content = bytes(len(content))
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        more = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if asked else {}
        cut = self.breaks_after.get(name)
        self._send(to, 206 if asked else self.status.get(name, 200), content[start:], more, cut)

    def _send(
        self,
        to: BaseHTTPRequestHandler,
        status: int,
        body: bytes,
        headers: dict[str, str] | None = None,
        cut: int | None = None,
    ) -> None:
        to.send_response(status)
        for key, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            to.send_header(key, value)
        to.end_headers()
        to.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            to.close_connection = True


def toy(folder: Path) -> ModelSpec:
    tokenizer = train_tokenizer(iter(["You are a helpful assistant. user assistant system"] * 4), 310)
    spec = tiny("qwen2.5-vl")
    spec = type(spec)(**{**vars(spec), "ids": tokenizer.token_ids})
    model = Vlm(spec)
    model.initialise(torch.Generator().manual_seed(0))
    write_folder(model, spec, folder, dtype=torch.float32, shard_bytes=200_000)
    Processor(tokenizer, spec, PictureRules()).save(folder)
    return spec


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    toy(folder)
    return folder


@pytest.fixture
def hub(model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 10_000)
    hub = Hub()
    hub.files = {path.name: path.read_bytes() for path in model.iterdir()}
    hub.files |= {
        "modeling.py": b"raise SystemExit",
        "pytorch_model.bin": b"\x80\x04.",
        "extra/a.json": b"{}",
    }
    yield hub
    hub.server.shutdown()
    hub.server.server_close()


def test_a_pulled_model_loads_without_the_hub(hub: Hub, model: Path, tmp_path: Path) -> None:
    told = pull(NAME, cache=tmp_path, endpoint=hub.url)
    hub.server.shutdown()
    assert told.commit == COMMIT
    assert {path.name for path in told.folder.iterdir()} == {path.name for path in model.iterdir()}
    assert resolve(NAME, cache=tmp_path) == told.folder
    assert resolve(NAME, cache=tmp_path, revision=COMMIT) == told.folder
    loaded = load_folder(NAME, cache=tmp_path).model
    same = zip(loaded.parameters(), load_folder(model).model.parameters(), strict=True)
    assert all(torch.equal(one, two) for one, two in same)


def test_nothing_that_could_run_is_even_asked_for(hub: Hub, tmp_path: Path) -> None:
    pull(NAME, cache=tmp_path, endpoint=hub.url)
    assert not {"modeling.py", "pytorch_model.bin", "extra/a.json"} & {name for name, _ in hub.asked}


def test_what_is_there_is_not_fetched_again(hub: Hub, tmp_path: Path) -> None:
    first = pull(NAME, cache=tmp_path, endpoint=hub.url)
    hub.asked.clear()
    second = pull(NAME, "v1", cache=tmp_path, endpoint=hub.url)
    assert (first.fetched, second.fetched) == (sum(entry.size for entry in first.files), 0)
    assert not hub.asked
    assert resolve(NAME, cache=tmp_path, revision="v1") == first.folder
    hub.server.shutdown()
    assert pull(NAME, COMMIT, cache=tmp_path, endpoint=hub.url).folder == first.folder


def test_a_fetch_that_broke_off_is_gone_on_with(hub: Hub, tmp_path: Path) -> None:
    shard = max((name for name in hub.files if name.startswith("model-")), key=lambda n: len(hub.files[n]))
    hub.breaks_after[shard] = 0
    part = tmp_path / "models--Some--Model" / "blobs"
    part.mkdir(parents=True)
    (part / f"{hashlib.sha256(hub.files[shard]).hexdigest()}.part").write_bytes(hub.files[shard][:70_000])
    with pytest.raises(Unreachable, match="go on with it"):
        pull(NAME, cache=tmp_path, endpoint=hub.url)
    with pytest.raises(UnknownModel):
        resolve(NAME, cache=tmp_path)
    hub.breaks_after.clear()
    hub.asked.clear()
    pull(NAME, cache=tmp_path, endpoint=hub.url)
    assert (shard, "bytes=70000-") in hub.asked
    assert load_folder(NAME, cache=tmp_path).spec.family == "qwen2.5-vl"


def test_a_line_that_goes_dead_now_and_then_is_taken_up_again(hub: Hub, tmp_path: Path) -> None:
    shard = next(name for name in hub.files if name.startswith("model-"))
    hub.breaks_after[shard] = 60_000
    pull(NAME, cache=tmp_path, endpoint=hub.url)
    starts = [int(asked[6:-1]) for name, asked in hub.asked if name == shard and asked]
    assert starts == [60_000 * (i + 1) for i in range(len(starts))] != []


def test_a_file_of_another_digest_is_not_kept(hub: Hub, tmp_path: Path) -> None:
    hub.spoils.add("config.json")
    with pytest.raises(BadFolder, match=r"config\.json came with another digest"):
        pull(NAME, cache=tmp_path, endpoint=hub.url)
    hub.spoils.clear()
    assert wrong_files(pull(NAME, cache=tmp_path, endpoint=hub.url).folder) == []


def test_a_file_that_was_changed_later_is_found(hub: Hub, tmp_path: Path) -> None:
    folder = pull(NAME, cache=tmp_path, endpoint=hub.url).folder
    blob = (folder / "tokenizer.json").resolve()
    blob.write_bytes(blob.read_bytes() + b" ")
    assert wrong_files(folder) == ["tokenizer.json"]
    assert pull(NAME, cache=tmp_path, endpoint=hub.url).fetched > 0
    assert wrong_files(folder) == []


def test_a_folder_that_was_not_pulled_has_no_digests(model: Path) -> None:
    assert wrong_files(model) is None


@pytest.mark.parametrize(
    ("name", "revision", "wrong", "said"),
    [
        ("Some/Other", "main", UnknownModel, "no model Some/Other"),
        (NAME, "v9", UnknownModel, "no revision 'v9'"),
        ("model", "main", UnknownOption, "no hub name"),
        ("../x", "main", UnknownOption, "no hub name"),
        (NAME, "../../x", UnknownOption, "wanted a branch"),
    ],
)
def test_what_is_not_there_is_said(
    name: str, revision: str, wrong: type[Exception], said: str, hub: Hub, tmp_path: Path
) -> None:
    with pytest.raises(wrong, match=said):
        pull(name, revision, cache=tmp_path, endpoint=hub.url)


def test_a_model_of_pickles_is_refused(hub: Hub, tmp_path: Path) -> None:
    hub.files = {"config.json": b"{}", "pytorch_model.bin": b"\x80\x04."}
    with pytest.raises(UnsafeFile, match=r"pytorch_model\.bin"):
        pull(NAME, cache=tmp_path, endpoint=hub.url)


def test_a_hub_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="could not be fetched"):
        pull(NAME, cache=tmp_path, endpoint="http://127.0.0.1:9")


def test_the_verb_tells_what_came(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    verb(f"{NAME}@v1", endpoint=hub.url, json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["commit"], told["fetched"]) == (COMMIT, told["bytes"])
    assert {len(entry["digest"]) for entry in told["files"]} == {40, 64}
    verb(f"{NAME}@{COMMIT}", endpoint=hub.url)
    assert "nothing was lacking" in capsys.readouterr().out
