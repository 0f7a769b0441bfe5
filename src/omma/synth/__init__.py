"""Worlds that draw pictures knowing their truth, and ask about them in many wordings."""

from omma.synth.colours import COLOURS
from omma.synth.dialogue import dialogue
from omma.synth.exercise import WORLDS, draw
from omma.synth.world import CLASSES, Drawing, Exercise, Thing, Turn

__all__ = ["CLASSES", "COLOURS", "WORLDS", "Drawing", "Exercise", "Thing", "Turn", "dialogue", "draw"]
