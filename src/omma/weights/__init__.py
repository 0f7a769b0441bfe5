"""Weights on disk: the public folder layout, read and written, under the public names."""

from omma.weights.config import read_generation, read_spec
from omma.weights.folder import load_weights, read_dtype, write_folder

__all__ = ["load_weights", "read_dtype", "read_generation", "read_spec", "write_folder"]
