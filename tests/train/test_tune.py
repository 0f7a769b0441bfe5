"""Fitting a model: judged before and after, resumed exactly, bad data set aside, nothing shown twice."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file

import omma
from omma.corpus.reading import Corpus
from omma.errors import BadCheckpoint, BadData, BadFolder, BadRecipe, MissingFile
from omma.loading import load_folder
from omma.model.vlm import Vlm
from omma.presets import GENERATIONS
from omma.respond import Model
from omma.train.hold import held
from omma.train.tune import tune
from omma.train.tune_data import Brought, Deal, Dialogue, bring, deal, passes, step_of
from omma.train.tune_merge import merge_folder
from omma.train.tune_steps import Standing, begun_in
from omma.train.tuning import Tuning, settled, usual_rate
from omma.weights import write_folder
from omma.weights.adapters import WEIGHTS
from omma.weights.lora import layers
from tests.train.school import small_spec, write_dialogues


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's folder with random weights."""
    return write_toy("qwen2.5-vl", tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="module", params=GENERATIONS)
def each_toy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, of every generation."""
    return write_toy(request.param, tmp_path_factory.mktemp("each"))


def write_toy(generation: str, folder: Path) -> Path:
    spec = small_spec(generation, folder)
    model = Vlm(spec)
    model.initialise(torch.Generator().manual_seed(0))
    write_folder(model, spec, folder, dtype=torch.float32)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dialogues(tmp_path_factory.mktemp("data"), 20)


class Quiet:
    """Hears all and can be told to stop a run."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.lines: list[dict[str, Any]] = []
        self.stop_at = stop_at

    def counts(self, doing: str, done: int, total: int | None) -> None:
        pass

    def step(self, line: Mapping[str, Any], total: int) -> None:
        self.lines.append(dict(line))
        if line["step"] == self.stop_at:
            raise KeyboardInterrupt


def fit(toy: Path, data: Path, out: Path, heard: Quiet | None = None, **wishes: Any) -> dict[str, Any]:
    wish = Tuning(**{"data": str(data), "model": str(toy), "turns": 2, "batch": 4, "rate": 1e-3} | wishes)
    return tune(wish, out, responder_of=Model, listener=heard or Quiet(), device="cpu")


# What is learned


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_model_gets_better_at_what_it_is_shown(
    method: str, each_toy: Path, data: Path, tmp_path: Path
) -> None:
    form = fit(each_toy, data, tmp_path / "out", method=method, turns=20, rate=1e-2)
    assert form["loss"]["after"]["high"] < form["loss"]["before"]["low"]
    (score,) = form["scores"]
    assert (score["kind"], score["measure"], score["answers"]) == ("word", "right", 4)
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == form
    with Image.open(tmp_path / "out" / "curves.png") as picture:
        assert picture.format == "PNG"


def test_what_lora_learned_is_an_adapter_of_the_model_that_was_judged(
    toy: Path, data: Path, tmp_path: Path
) -> None:
    form = fit(toy, data, tmp_path, learns=("decoder",), rank=2)
    loaded = load_folder(toy, device="cpu", adapter=form["folder"])
    named = dict(layers(loaded.model))
    assert {name.split(".")[0] for name in named} == {"decoder"}
    assert any(layer.up.any() for layer in named.values())
    assert form["learned"] == sum(layer.down.numel() + layer.up.numel() for layer in named.values())
    assert omma.load(form["folder"], device="cpu").ask(data.parent / "0.png", "What colour?").text is not None


@pytest.mark.parametrize("part", ["vision", "bridge", "decoder"])
def test_only_the_parts_that_learn_are_changed(part: str, toy: Path, data: Path, tmp_path: Path) -> None:
    form = fit(toy, data, tmp_path, method="full", learns=(part,), turns=4)
    was, now = (dict(load_folder(f, device="cpu").model.named_parameters()) for f in (toy, form["folder"]))
    changed = {name for name, tensor in was.items() if not torch.equal(tensor, now[name])}
    starts = {"vision": "vision.", "bridge": "vision.merger.", "decoder": "decoder."}
    assert changed
    assert all(name.startswith(starts[part]) for name in changed)
    assert part == "bridge" or not any("merger" in name for name in changed)


def test_a_merged_adapter_is_a_folder_that_says_the_same(each_toy: Path, data: Path, tmp_path: Path) -> None:
    form = fit(each_toy, data, tmp_path / "out", rate=1e-2)
    assert merge_folder(Path(form["folder"]), tmp_path / "merged", dtype="float32") < 1e-6
    asked = [omma.message("user", omma.Image(data.parent / "0.png"), "What colour?")]
    told = [
        omma.load(folder, device="cpu", dtype="float32").logits(asked)
        for folder in (form["folder"], tmp_path / "merged")
    ]
    torch.testing.assert_close(*told, atol=1e-4, rtol=0)


def test_nothing_is_merged_over_what_is_there(toy: Path, data: Path, tmp_path: Path) -> None:
    adapter = Path(fit(toy, data, tmp_path / "out", turns=0.1)["folder"])
    for taken in (adapter, data.parent, data):
        with pytest.raises(BadFolder, match="already"):
            merge_folder(adapter, taken)


# Going on


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_run_that_was_stopped_goes_on_exactly(method: str, toy: Path, data: Path, tmp_path: Path) -> None:
    wishes = {"method": method} | ({"dropout": 0.2} if method == "lora" else {})
    whole = fit(toy, data, tmp_path / "whole", unbroken := Quiet(), **wishes)
    for stop_at in (2, 5):
        with pytest.raises(KeyboardInterrupt):
            fit(toy, data, tmp_path / "broken", Quiet(stop_at), **wishes)
    broken = fit(toy, data, tmp_path / "broken", resumed := Quiet(), **wishes)
    assert [line["step"] for line in resumed.lines] == [
        line["step"] for line in unbroken.lines if line["step"] >= 5
    ]
    for name in ("loss", "scores", "steps", "best_step"):
        assert broken[name] == whole[name]
    for file in Path(whole["folder"]).glob("*.safetensors"):
        again = load_file(Path(broken["folder"]) / file.name)
        assert all(torch.equal(tensor, again[name]) for name, tensor in load_file(file).items())
    logs = [
        [json.loads(line)["step"] for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
        for name in ("whole", "broken")
    ]
    assert logs[0] == logs[1]


def test_a_finished_run_gives_its_report_and_keeps_no_state(toy: Path, data: Path, tmp_path: Path) -> None:
    form = fit(toy, data, tmp_path)
    assert fit(toy, data, tmp_path, heard := Quiet()) == form
    assert heard.lines == []
    assert {file.name for file in tmp_path.iterdir()} == {"adapter", "curves.png", "log.jsonl", "report.json"}


def test_where_nothing_can_be_written_a_report_is_given_and_no_run_begins(
    toy: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = fit(toy, data, tmp_path / "ended", turns=1)
    (tmp_path / "new").mkdir()
    monkeypatch.setattr("omma.train.hold.os.access", lambda path, mode: not mode & os.W_OK)
    monkeypatch.setattr("omma.train.tune._fit", None)
    assert fit(toy, data, tmp_path / "ended", turns=1) == form
    with pytest.raises(BadCheckpoint, match=r"new cannot be written to: .*; make it writable"):
        fit(toy, data, tmp_path / "new", turns=1)


@pytest.mark.parametrize("change", [{"rank": 3}, {"seed": 1}, {"turns": 3}])
def test_a_folder_of_another_run_is_refused(
    change: dict[str, Any], toy: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyboardInterrupt):
        fit(toy, data, tmp_path, Quiet(4))
    monkeypatch.setattr("omma.train.tune._judge", None)  # nothing is judged for a run that cannot be
    monkeypatch.setattr("omma.train.tune.AsideReport", None)
    with pytest.raises(BadCheckpoint, match="other settings"):
        fit(toy, data, tmp_path, **change)


def test_two_runs_do_not_share_a_folder(toy: Path, data: Path, tmp_path: Path) -> None:
    with held(tmp_path), pytest.raises(BadCheckpoint, match="held by another run"):
        fit(toy, tmp_path / "not even read", tmp_path)


def test_a_full_disk_ends_a_run_with_a_sentence_and_it_goes_on_later(
    toy: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise SafetensorError("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("omma.weights.files.save_file", full)
        with pytest.raises(BadFolder, match="No space left"):
            fit(toy, data, tmp_path, turns=0.1)
    assert fit(toy, data, tmp_path, turns=0.1)["steps"] == 1


def test_a_loss_that_is_no_number_ends_a_run(toy: Path, data: Path, tmp_path: Path) -> None:
    broken = load_folder(toy, device="cpu", dtype="float32")
    with torch.no_grad():
        broken.model.decoder.norm.weight.fill_(torch.inf)
    write_folder(broken.model, broken.spec, tmp_path / "broken", dtype=torch.float32)
    broken.processor.save(tmp_path / "broken")
    with pytest.raises(BadRecipe, match="held out is nan"):
        fit(tmp_path / "broken", data, tmp_path / "out")
    assert not (tmp_path / "out" / "report.json").exists()


def test_a_run_ends_when_nothing_gets_better_and_the_best_is_kept(
    toy: Path, data: Path, tmp_path: Path
) -> None:
    form = fit(toy, data, tmp_path, heard := Quiet(), method="full", rate=0.9, turns=40, patience=2)
    held_out = {line["step"]: line["held_out"]["loss"] for line in heard.lines if "held_out" in line}
    assert form["steps"] < form["planned"]
    assert held_out[form["best_step"]] == min(held_out.values())
    assert form["loss"]["after"]["value"] <= form["loss"]["before"]["value"]


@pytest.mark.parametrize("began", ["float32", "bfloat16"])
def test_a_run_goes_on_in_the_precision_it_began_in(
    toy: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, began: str
) -> None:
    monkeypatch.setattr("omma.train.numbers.halves_gain", lambda: began == "bfloat16")
    fit(toy, data, tmp_path / "whole", whole := Quiet())
    with pytest.raises(KeyboardInterrupt):
        fit(toy, data, tmp_path / "broken", Quiet(5))
    monkeypatch.setattr("omma.train.numbers.halves_gain", lambda: began != "bfloat16")  # another machine
    assert begun_in(tmp_path / "broken") == began
    fit(toy, data, tmp_path / "broken", rest := Quiet())
    for quiet in (whole, rest):
        for line in quiet.lines:
            line.pop("seconds", None)
    assert rest.lines
    assert rest.lines == whole.lines[-len(rest.lines) :]


PROGRAM = """
import sys
from omma.cli import main
sys.exit(main({words!r}))
"""


@pytest.mark.soak
def test_three_kills_change_nothing(toy: Path, data: Path, tmp_path: Path) -> None:
    def command(out: str) -> list[str]:
        words = ["train", "tune", "--data", str(data), "--model", str(toy), "--out", str(tmp_path / out)]
        return [sys.executable, "-c", PROGRAM.format(words=[*words, "--turns", "20", "--json"])]

    subprocess.run(command("whole"), check=True, stdout=subprocess.PIPE)
    log = tmp_path / "broken" / "log.jsonl"
    for moment in (2, 9, 17):
        process = subprocess.Popen(command("broken"), stdout=subprocess.PIPE)
        assert process.stdout is not None
        while process.poll() is None and (not log.exists() or log.read_text().count("\n") < moment):
            time.sleep(0.01)
        assert process.poll() is None, "the run ended before it was killed"
        process.kill()
        process.wait()
        process.stdout.close()
    subprocess.run(command("broken"), check=True, stdout=subprocess.PIPE)
    whole, broken = (load_file(tmp_path / out / "adapter" / WEIGHTS) for out in ("whole", "broken"))
    assert all(torch.equal(tensor, broken[name]) for name, tensor in whole.items())
    reports = [json.loads((tmp_path / out / "report.json").read_text()) for out in ("whole", "broken")]
    assert reports[0]["loss"] == reports[1]["loss"]
    assert reports[0]["fingerprint"] == reports[1]["fingerprint"]


def test_gains_of_next_to_nothing_are_kept_and_end_a_run() -> None:
    standing = Standing()
    for step, loss in enumerate((0.5, 0.2, 0.1999, 0.1998, 0.3, 0.1997)):
        standing = standing.after(step, loss)
    assert standing == Standing(5, 5, 0.1997, 4)


# The data


def test_bad_lines_are_set_aside_with_their_reasons(toy: Path, data: Path, tmp_path: Path) -> None:
    shutil.copytree(data.parent, tmp_path / "data")
    file = tmp_path / "data" / data.name
    (tmp_path / "data" / "3.png").write_bytes(b"no picture")
    (tmp_path / "data" / "4.png").unlink()
    file.write_text(
        file.read_text() + "{}\nnot JSON\n" + '{"messages": [{"role": "user", "content": "?"}]}\n'
    )
    form = fit(toy, file, tmp_path / "out")
    told = [json.loads(line) for line in (tmp_path / "out" / "aside.jsonl").read_text().splitlines()]
    assert form["aside"] == len(told) == 5
    assert [entry["line"] for entry in told] == [4, 5, 21, 22, 23]
    assert all(entry["reason"] for entry in told)
    assert form["lessons"] + form["checks"] + form["tests"] == 18


def test_too_little_data_is_refused_with_what_was_wrong(toy: Path, tmp_path: Path) -> None:
    file = write_dialogues(tmp_path, 12)
    (tmp_path / "3.png").unlink()
    (tmp_path / "5.png").unlink()
    (tmp_path / "6.png").unlink()
    with pytest.raises(BadData, match=r"holds 9 dialogues.*line 4.*3\.png"):
        fit(toy, file, tmp_path / "out")


def test_what_the_test_shows_is_never_learned_from(toy: Path, data: Path, tmp_path: Path) -> None:
    apart = data.with_name("apart.jsonl")
    apart.write_text("".join(data.read_text().splitlines(keepends=True)[:7]))
    form = fit(toy, data, tmp_path, test=str(apart))
    assert (form["tests"], form["aside"], form["lessons"] + form["checks"]) == (7, 7, 13)
    told = [json.loads(line) for line in (tmp_path / "aside.jsonl").read_text().splitlines()]
    assert {entry["kind"] for entry in told} == {"in the test"}


def brought(shown: list[set[int]]) -> Brought:
    dialogues = tuple(Dialogue(i, 5, frozenset(map(str, names))) for i, names in enumerate(shown))
    return Brought(SimpleNamespace(name="x"), None, dialogues, (), "")  # type: ignore[arg-type]


@settings(max_examples=50)
@given(
    st.lists(st.sets(st.integers(0, 60), min_size=1, max_size=3), min_size=40, max_size=80),
    st.integers(0, 9),
)
def test_no_picture_is_in_two_parts_and_no_dialogue_is_lost(shown: list[set[int]], seed: int) -> None:
    material = brought(shown)
    try:
        dealt: Deal = deal(material, seed)
    except BadData:
        return  # everything hangs together by its pictures
    seen = [{name for dialogue in part for name in dialogue.shown} for part in dealt]
    assert not seen[0] & (seen[1] | seen[2])
    assert not seen[1] & seen[2]
    assert sorted(dialogue for part in dealt for dialogue in part) == sorted(material.dialogues)


def test_copies_and_the_same_words_are_never_on_both_sides(toy: Path, tmp_path: Path) -> None:
    file = write_dialogues(tmp_path, 24, shown=2)
    words = '{"messages": [{"role": "user", "content": "%s?"}, {"role": "assistant", "content": "red"}]}\n'
    file.write_text(file.read_text() + "".join(words % (i // 4) for i in range(24)))
    for copy, of in ((2, 0), (6, 4), (10, 4)):
        shutil.copy(tmp_path / f"{of}.png", tmp_path / f"{copy}.png")
    material = bring(Corpus(file), load_folder(toy, device="cpu").processor)
    parts = deal(material, 0)
    assert all(parts)
    where = {dialogue.number: part for part, dialogues in enumerate(parts) for dialogue in dialogues}
    assert where.keys() == set(range(48))
    assert where[0] == where[2]
    assert where[4] == where[6] == where[10]
    assert all(len({where[24 + 4 * i + k] for k in range(4)}) == 1 for i in range(6))


def test_about_a_tenth_and_a_fifth_are_held_out() -> None:
    dealt = deal(brought([{i} for i in range(200)]), 0)
    assert [len(part) for part in dealt] == [140, 20, 40]
    assert [len(part) for part in deal(brought([{i} for i in range(5000)]), 0)] == [4700, 100, 200]


def test_every_dialogue_comes_up_once_each_time_round() -> None:
    lessons = brought([{i} for i in range(10)]).dialogues
    steps = [dialogue for step in range(5) for dialogue in step_of(lessons, 4, 7, step)]
    assert sorted(steps[:10]) == sorted(steps[10:]) == list(lessons)
    assert steps[:10] != steps[10:]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=30))
def test_passes_hold_at_most_so_many_tokens_and_all_dialogues(tokens: list[int]) -> None:
    lessons = [Dialogue(i, count, frozenset()) for i, count in enumerate(tokens)]
    cut = passes(lessons, 40)
    assert sorted(dialogue for part in cut for dialogue in part) == lessons
    assert all(len(part) == 1 or sum(dialogue.tokens for dialogue in part) <= 40 for part in cut)


def test_another_picture_or_word_is_other_data(data: Path, toy: Path, tmp_path: Path) -> None:
    processor = load_folder(toy, device="cpu").processor
    shutil.copytree(data.parent, tmp_path, dirs_exist_ok=True)
    file = tmp_path / data.name
    first = bring(Corpus(file), processor).hash
    assert bring(Corpus(file), processor).hash == first
    file.write_text(file.read_text().replace("What colour?", "Which colour?", 1))
    assert bring(Corpus(file), processor).hash != first


def test_pictures_may_lie_elsewhere_and_a_form_may_be_named(toy: Path, data: Path, tmp_path: Path) -> None:
    apart = tmp_path / "mine.jsonl"
    shutil.copy(data, apart)
    with pytest.raises(BadData, match="no such file"):
        fit(toy, apart, tmp_path / "out")
    form = fit(toy, apart, tmp_path / "out", media=data.parent, form="native", turns=0.1)
    assert (form["lessons"], form["aside"]) == (14, 0)
    assert form == fit(toy, data, tmp_path / "out", turns=0.1)  # the same data, wherever it lies


def test_judging_by_the_very_data_that_is_learned_from_is_refused(
    toy: Path, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadData, match="shows 20 of the 20 dialogues"):
        fit(toy, data, tmp_path / "out", test=str(data))


def test_a_file_is_no_folder_for_a_run(toy: Path, data: Path) -> None:
    with pytest.raises(MissingFile, match="is a file"):
        fit(toy, data, data)


# Wishes


def test_a_long_answer_weighs_the_root_of_its_length(toy: Path, tmp_path: Path) -> None:
    file = tmp_path / "words.jsonl"
    turns = [
        [{"role": "user", "content": "Red?"}, {"role": "assistant", "content": "red " * count}]
        for count in (1, 30)
    ]
    file.write_text("".join(json.dumps({"messages": said}) + "\n" for said in turns))
    loaded = load_folder(toy, device="cpu")
    material = bring(Corpus(file), loaded.processor)
    recipe = settled(Tuning("x"), loaded.spec, toy, 2).recipe
    for dialogue in material.dialogues:
        weights_T = material.batch([dialogue], recipe).pack.weights_T
        assert weights_T.sum() ** 2 == pytest.approx((weights_T > 0).sum())
        assert set(material.batch([dialogue]).pack.weights_T) == {0, 1}


def test_what_is_left_open_is_chosen_by_the_sizes(toy: Path) -> None:
    spec = load_folder(toy, device="cpu").spec
    few, many = (settled(Tuning("x"), spec, toy, lessons) for lessons in (100, 10_000))
    assert few.lora
    assert (few.recipe.dialogues, many.recipe.dialogues) == (8, 16)
    assert few.recipe.steps == 250
    assert many.recipe.steps == 1875
    assert few.fingerprint("a", "b") != many.fingerprint("a", "b") != many.fingerprint("c", "b")


def test_wider_models_learn_at_lower_rates() -> None:
    for method in ("lora", "full"):
        rates = [usual_rate(method, width) for width in (64, 256, 2048, 3584, 8192)]
        assert rates[0] == rates[1] > rates[2] > rates[3] > rates[4]
    assert usual_rate("full", 3584) == pytest.approx(1e-5)


@pytest.mark.parametrize(
    "wish",
    [
        {"method": "magic"},
        {"learns": ()},
        {"learns": ("ears",)},
        {"rank": 0},
        {"rate": 0.0},
        {"turns": -1.0},
        {"dropout": 1.0},
    ],
    ids=str,
)
def test_a_wish_that_cannot_be_is_named(wish: dict[str, Any]) -> None:
    with pytest.raises(BadRecipe, match=next(iter(wish))):
        Tuning("x", **wish).check()


def test_an_adapter_is_not_fitted_once_more(toy: Path, data: Path, tmp_path: Path) -> None:
    form = fit(toy, data, tmp_path / "one")
    with pytest.raises(BadRecipe, match="merge"):
        fit(Path(form["folder"]), data, tmp_path / "two")
