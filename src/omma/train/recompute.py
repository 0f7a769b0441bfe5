"""Layers that keep nothing but their input and run again in the backward pass: less memory, more work."""

from __future__ import annotations

from functools import partial

from torch.utils.checkpoint import checkpoint

from omma.model.vlm import Vlm


def recompute_layers(model: Vlm) -> None:
    """Put it on every layer of tower and decoder; losses and gradients stay the same to the last bit.

    A model may be sharded afterwards, not before.
    """
    for layer in (*model.vision.layers, *model.decoder.layers):
        # There is no dropout: the second run needs no state of a random generator.
        layer.forward = partial(checkpoint, layer.forward, use_reentrant=False, preserve_rng_state=False)
