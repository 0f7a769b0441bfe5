"""The published models have the published numbers of parameters; toys have every variant."""

from __future__ import annotations

import pytest
import torch

from omma.errors import UnknownModel
from omma.model.vlm import Vlm
from omma.presets import DESCRIBED, GENERATIONS, PRESETS, preset, tiny

# facts §1.1–1.4: the tower with its mergers, and the whole
PARAMETERS = {
    "qwen-vl": (1_935_610_624, 9_656_935_168),
    "qwen-vl-chat": (1_935_610_624, 9_656_935_168),
    "qwen2-vl-2b": (665_271_296, 2_208_985_600),
    "qwen2-vl-7b": (675_759_104, 8_291_375_616),
    "qwen2-vl-72b": (699_356_672, 73_405_560_320),
    "qwen2.5-vl-3b": (668_684_288, 3_754_622_976),
    "qwen2.5-vl-7b": (676_550_144, 8_292_166_656),
    "qwen2.5-vl-32b": (688_841_984, 33_452_718_336),
    "qwen2.5-vl-72b": (704_573_696, 73_410_777_344),
    "qwen3-vl-2b": (406_957_056, 2_127_532_032),
    "qwen3-vl-4b": (415_347_712, 4_437_815_808),
    "qwen3-vl-8b": (576_388_336, 8_767_123_696),
    "qwen3-vl-32b": (595_266_800, 33_357_390_064),
    "qwen3-vl-30b-a3b": (538_631_408, 31_070_754_032),
    "qwen3-vl-235b-a22b": (576_388_336, 235_670_022_896),
    # Described, not published: worked out by hand from widths and depths.
    "described-3b": (101_686_016, 3_187_624_704),
    "described-7b": (334_914_016, 7_950_530_528),
    "described-72b": (13_299_871_744, 71_963_119_616),
    "described-edge-1.8b": (101_686_016, 1_847_464_704),
}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_the_published_number_of_parameters(name: str) -> None:
    with torch.device("meta"):
        model = Vlm(preset(name))
    vision, whole = (sum(p.numel() for p in part.parameters()) for part in (model.vision, model))
    assert (vision, whole) == PARAMETERS[name]


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(UnknownModel, match=r"qwen2\.5-vl-3b"):
        preset("gpt-4")


def test_an_unknown_generation_names_the_known_ones() -> None:
    with pytest.raises(UnknownModel, match=r"qwen2\.5-vl"):
        tiny("qwen9")


@pytest.mark.parametrize("generation", [*GENERATIONS, *DESCRIBED])
def test_a_toys_marks_lie_inside_its_vocabulary(generation: str) -> None:
    spec = tiny(generation)
    assert all(0 <= value < spec.decoder.vocabulary for value in vars(spec.ids).values())
