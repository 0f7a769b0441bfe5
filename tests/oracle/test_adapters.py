"""An adapter is the same thing here and in peft over transformers, whoever wrote it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor

from bench.oracle import Oracle
from bench.toys import cases, write_toy
from omma.engine.engine import score
from omma.loading import Loaded, load_folder
from omma.presets import tiny
from omma.train.published import SETS
from omma.weights.adapters import read_adapter, write_adapter
from omma.weights.lora import Adapter, Pair, fresh, linears, mark_of, merge, put_on
from tests.train.school import write_dialogues
from tests.train.test_tune import fit

SAID = next(case.said for case in cases() if case.name == "one picture")
CLOSE = 2e-6  # of the largest logit; without any adapter the two are 1e-6 apart in fp32
LEARNED = 1e-5  # where an adapter moved the logits by more than their own size: 1e-6 to 3e-6 were met
RUN_THROUGH_ALL = r"model\.(visual|language_model)\..*(qkv|[qv]_proj|mlp\.[02]|patch_embed\.proj)"
MADE: dict[str, dict[str, Any]] = {
    "two names": {"target_modules": ["q_proj", "v_proj"]},
    "names in both stacks": {"target_modules": ["gate_proj", "down_proj", "o_proj"]},
    "a pattern, the patch convolution too": {"target_modules": RUN_THROUGH_ALL},
    "all linear layers, scaled by the root": {"target_modules": "all-linear", "use_rslora": True},
    "ranks and alphas of their own": {
        "target_modules": ["q_proj", "gate_proj"],
        "rank_pattern": {"q_proj": 2, "blocks.1.mlp.gate_proj": 3},
        "alpha_pattern": {"^model.language_model.layers.0.*gate_proj": 40},
    },
    "some layers": {"target_modules": ["k_proj"], "layers_to_transform": [0, 2]},
    "all but some": {"target_modules": ["k_proj", "qkv"], "exclude_modules": ["blocks.0.attn.qkv"]},
    "a head of its own": {"target_modules": ["o_proj"], "modules_to_save": ["lm_head"]},
    "a table of its own": {"target_modules": ["o_proj"], "modules_to_save": ["embed_tokens"]},
    "table and head alike": {
        "target_modules": ["o_proj"],
        "modules_to_save": ["embed_tokens"],
        "ensure_weight_tying": True,
    },
    "a pair on the head": {"target_modules": ["lm_head"]},
    "biases too": {"target_modules": ["qkv", "q_proj"], "bias": "lora_only"},
}

# What peft and transformers warn each other of is not ours.
pytestmark = [pytest.mark.filterwarnings(f"ignore::{kind}") for kind in ("FutureWarning", "UserWarning")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy(tmp_path_factory.mktemp("toy"), tiny("qwen2.5-vl"))


def theirs(folder: Path, settings: dict[str, Any], out: Path, loaded: Loaded) -> Tensor:
    """Logits of transformers with a drawn adapter, which peft wrote to `out`."""
    oracle = Oracle(folder)
    torch.manual_seed(0)
    worn = get_peft_model(oracle.model, LoraConfig(r=4, lora_alpha=8, **settings))
    for name, parameter in worn.named_parameters():
        if parameter.requires_grad and "lora_A" not in name:
            torch.nn.init.normal_(parameter, std=0.05)
    worn.save_pretrained(out)
    oracle.model = worn.base_model.model
    return oracle.logits(loaded.processor.sample(SAID))


def apart(loaded: Loaded, wanted: Tensor) -> float:
    """The largest difference, as a share of the largest logit."""
    said = score(loaded.model, loaded.processor.sample(SAID))
    return float((said - wanted).abs().max() / wanted.abs().max())


@pytest.mark.parametrize("made", MADE)
def test_an_adapter_of_peft_says_the_same_here(made: str, folder: Path, tmp_path: Path) -> None:
    loaded = load_folder(folder, device="cpu")
    wanted = theirs(folder, MADE[made], tmp_path, loaded)
    assert apart(loaded, wanted) > 1e-3
    put_on(loaded.model, read_adapter(tmp_path, loaded.model))
    assert apart(loaded, wanted) <= CLOSE
    merge(loaded.model)
    assert apart(loaded, wanted) <= CLOSE


@pytest.mark.parametrize("base", ["toy", "omma-nano"])
def test_an_adapter_of_ours_says_the_same_in_peft(base: str, folder: Path, tmp_path: Path) -> None:
    loaded = load_folder(folder if base == "toy" else base, device="cpu", dtype="float32")
    mark, dice = mark_of(loaded.model), torch.Generator().manual_seed(0)
    pairs: dict[str, Pair] = {}
    for name, layer in linears(loaded.model).items():
        pair = fresh(layer, 3 if "key" in name else 4, 2.0, dice)
        pairs[name] = pair._replace(up=torch.empty_like(pair.up).normal_(0, 0.02, generator=dice))
    put_on(loaded.model, Adapter(pairs))
    write_adapter(pairs, loaded.model, tmp_path, base=str(folder), mark=mark)
    oracle = Oracle(folder if base == "toy" else Path("src/omma/assets/omma-nano"))
    oracle.model = PeftModel.from_pretrained(oracle.model, tmp_path).base_model.model
    assert apart(loaded, oracle.logits(loaded.processor.sample(SAID))) <= CLOSE
    assert any("lora" in name for name, _ in oracle.model.named_parameters())


@pytest.mark.parametrize("name", SETS)
def test_what_published_values_learned_says_the_same_in_peft(name: str, folder: Path, tmp_path: Path) -> None:
    form = fit(folder, write_dialogues(tmp_path / "data", 12), tmp_path, published=name, rate=1e-2, turns=4)
    loaded = load_folder(folder, device="cpu", adapter=form["folder"])
    oracle = Oracle(folder)
    assert apart(loaded, oracle.logits(loaded.processor.sample(SAID))) > 1e-3
    worn = PeftModel.from_pretrained(oracle.model, form["folder"])
    config = worn.peft_config["default"]
    assert (config.r, config.lora_alpha, config.lora_dropout) == (64, SETS[name].alpha, 0.05)
    oracle.model = worn.base_model.model
    assert apart(loaded, oracle.logits(loaded.processor.sample(SAID))) <= LEARNED
