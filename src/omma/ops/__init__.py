"""The arithmetic of a transformer, for speed; `omma.ops.reference` is what each of these means."""

from omma.ops.attention import Plan, attend_in_pieces, attend_plan, attend_segments
from omma.ops.entropy import linear_cross_entropy
from omma.ops.grid import corners
from omma.ops.norm import rms_norm
from omma.ops.product import linear, wide_linear
from omma.ops.rotary import Tables, axis_tables, grid_tables, rotate
from omma.ops.stretch import Turns, stretched_turns

__all__ = [
    "Plan",
    "Tables",
    "Turns",
    "attend_in_pieces",
    "attend_plan",
    "attend_segments",
    "axis_tables",
    "corners",
    "grid_tables",
    "linear",
    "linear_cross_entropy",
    "rms_norm",
    "rotate",
    "stretched_turns",
    "wide_linear",
]
