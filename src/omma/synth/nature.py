"""The outlines of living things and of the sky: each in one or several simple manners, back to front."""

from __future__ import annotations

import numpy as np

from omma.synth.outlines import arc, corners, disc, layer, rays, rect

TREE = (
    (
        layer(rect(-0.14, 0.1, 0.14, 1), ink="brown"),
        layer(disc(0, -0.45, 0.6, 0.55), disc(-0.42, -0.05, 0.45), disc(0.42, -0.05, 0.45)),
    ),
    (layer(rect(-0.15, 0.1, 0.15, 1), ink="brown"), layer(disc(0, -0.35, 0.65))),
    (
        layer(rect(-0.12, 0.6, 0.12, 1), ink="brown"),
        layer(corners("0,-1 0.4,-0.35 -0.4,-0.35"), corners("0,-0.65 0.55,0.15 -0.55,0.15")),
        layer(corners("0,-0.2 0.7,0.65 -0.7,0.65")),
    ),
    (layer(rect(-0.12, 0.4, 0.12, 1), ink="brown"), layer(corners("0,-1 0.65,0.5 -0.65,0.5"))),
)
_PETALS = [(np.cos(a), np.sin(a)) for a in np.arange(6) * np.pi / 3]
FLOWER = (
    (
        layer(
            rect(-0.06, -0.2, 0.06, 1), disc(0.28, 0.6, 0.25, 0.1), disc(-0.28, 0.75, 0.25, 0.1), ink="green"
        ),
        layer(*(disc(0.42 * x, -0.35 + 0.42 * y, 0.26) for x, y in _PETALS)),
        layer(disc(0, -0.35, 0.24), ink="yellow"),
    ),
    (layer(*(disc(0.58 * x, 0.58 * y, 0.36) for x, y in _PETALS)), layer(disc(rx=0.34), ink="yellow")),
    (
        layer(rect(-0.05, 0, 0.05, 1), corners("0,0.9 0.5,0.3 0.35,0.75"), ink="green"),
        layer(corners("-0.5,-1 -0.22,-0.6 0,-1 0.22,-0.6 0.5,-1 0.5,-0.2 0.25,0.1 -0.25,0.1 -0.5,-0.2")),
    ),
)
FISH = (
    (
        layer(corners("0.45,0 1,-0.5 0.88,0 1,0.5"), ink="shade"),
        layer(disc(-0.2, 0, 0.8, 0.48)),
        layer(corners("-0.2,-0.42 0.15,-0.72 0.3,-0.3")),
        layer(disc(-0.62, -0.12, 0.11), ink="white"),
        layer(disc(-0.64, -0.12, 0.06), ink="black"),
    ),
    (
        layer(disc(-0.2, 0, 0.75, 0.42), corners("0.35,0 1,-0.45 1,0.45")),
        layer(disc(-0.58, -0.1, 0.08), ink="black"),
    ),
    (
        layer(
            corners("-1,0 -0.5,-0.45 0.1,-0.4 0.55,-0.1 1,-0.5 1,0.5 0.55,0.1 0.1,0.4 -0.5,0.45"),
        ),
        layer(disc(-0.55, -0.1, 0.09), ink="white"),
    ),
)
SUN = (
    (layer(disc(rx=0.55), *rays(8, 0.68, 0.12, 0)),),
    (layer(disc(rx=0.6), *rays(12, 0.55, 0.14, 0)),),
    (layer(disc(rx=0.5), *rays(8, 0.62, 0.05, 0.05)),),
    (
        layer(disc(rx=0.58), *rays(10, 0.68, 0.1, 0)),
        layer(disc(-0.2, -0.1, 0.08), disc(0.2, -0.1, 0.08), arc(0, 0.1, 0.3, 0.22, 0, 1), ink="black"),
    ),
)
CLOUD = (
    (
        layer(
            disc(-0.55, 0.15, 0.42),
            disc(-0.1, -0.15, 0.55),
            disc(0.5, 0.1, 0.47),
            rect(-0.55, 0.15, 0.5, 0.57),
        ),
    ),
    (
        layer(
            disc(-0.6, 0.2, 0.35),
            disc(-0.25, -0.1, 0.4),
            disc(0.25, -0.15, 0.45),
            disc(0.6, 0.2, 0.35),
            rect(-0.6, 0.1, 0.6, 0.55),
        ),
    ),
    (
        layer(
            disc(-0.5, 0, 0.5, 0.35),
            disc(0.5, 0, 0.5, 0.35),
            disc(0, -0.2, 0.5, 0.4),
            disc(0, 0.15, 0.5, 0.35),
        ),
    ),
)
_SMILE = np.concatenate([arc(0, 0.1, 0.55, 0.5, 0.1, 0.8), arc(0, 0.1, 0.42, 0.36, 0.9, -0.8)])
FACE = (
    (
        layer(disc()),
        layer(disc(-0.35, -0.25, 0.13, 0.18), disc(0.35, -0.25, 0.13, 0.18), _SMILE, ink="black"),
    ),
    (
        layer(disc()),
        layer(disc(-0.35, -0.2, 0.14), disc(0.35, -0.2, 0.14), ink="white"),
        layer(disc(-0.35, -0.2, 0.07), disc(0.35, -0.2, 0.07), arc(0, 0.2, 0.45, 0.4, 0, 1), ink="black"),
    ),
    (layer(disc()), layer(rect(-0.45, -0.35, -0.2, -0.1), rect(0.2, -0.35, 0.45, -0.1), _SMILE, ink="black")),
)
MUSHROOM = (
    (
        layer(corners("-0.25,0 0.25,0 0.35,0.95 -0.35,0.95"), ink="gray"),
        layer(arc(0, 0.1, 1, 1, 1, 1)),
        layer(disc(-0.4, -0.3, 0.15), disc(0.15, -0.55, 0.17), disc(0.55, -0.15, 0.12), ink="white"),
    ),
    (layer(rect(-0.25, 0, 0.25, 0.9), ink="white"), layer(arc(0, 0.15, 0.9, 0.95, 1, 1))),
)
APPLE = (
    (
        layer(corners("-0.05,-0.5 0.05,-1 0.17,-0.97 0.06,-0.5"), ink="brown"),
        layer(disc(0.36, -0.78, 0.28, 0.13), ink="green"),
        layer(disc(-0.3, 0.1, 0.62, 0.7), disc(0.3, 0.1, 0.62, 0.7)),
    ),
    (
        layer(rect(-0.05, -0.95, 0.06, -0.4), ink="black"),
        layer(disc(-0.25, 0.1, 0.55, 0.65), disc(0.25, 0.1, 0.55, 0.65)),
    ),
)
BIRD = (
    (
        layer(
            corners("0.5,0.1 1,-0.2 0.95,0.2"),
            rect(-0.1, 0.5, 0, 0.9),
            rect(0.15, 0.5, 0.25, 0.9),
            ink="shade",
        ),
        layer(disc(0.05, 0.15, 0.68, 0.45), disc(-0.5, -0.35, 0.33)),
        layer(corners("-0.8,-0.45 -1,-0.3 -0.78,-0.22"), ink="orange"),
        layer(disc(-0.56, -0.42, 0.07), ink="black"),
        layer(disc(0.2, 0.1, 0.35, 0.2), ink="shade"),
    ),
    (
        layer(disc(0, 0.1, 0.6, 0.38), disc(-0.5, -0.2, 0.28), corners("0.45,0.05 1,-0.1 1,0.35")),
        layer(corners("-0.1,-0.1 0.5,-0.75 0.45,0.05"), ink="shade"),
        layer(corners("-0.74,-0.28 -1,-0.15 -0.74,-0.08"), ink="orange"),
        layer(disc(-0.55, -0.26, 0.06), ink="white"),
    ),
)
_FEELERS = (corners("-0.03,-0.6 -0.3,-1 -0.22,-1"), corners("0.03,-0.6 0.3,-1 0.22,-1"))
BUTTERFLY = (
    (
        layer(
            *(disc(side * 0.52, -0.35, 0.48, 0.5) for side in (-1, 1)),
            *(disc(side * 0.42, 0.48, 0.36, 0.38) for side in (-1, 1)),
        ),
        layer(disc(0, 0, 0.1, 0.75), *_FEELERS, ink="black"),
    ),
    (
        layer(corners("0,0 -1,-0.8 -0.9,0.1 -0.6,0.8 0,0.1"), corners("0,0 1,-0.8 0.9,0.1 0.6,0.8 0,0.1")),
        layer(rect(-0.07, -0.6, 0.07, 0.6), *_FEELERS, ink="black"),
    ),
)
_DROP = np.concatenate([corners("0,-1.3"), arc(0, 0.2, 0.8, 0.8, -0.12, 1.24)])
DROP = ((layer(_DROP),), (layer(_DROP), layer(disc(-0.3, 0.3, 0.12, 0.25), ink="white")))
_EARS = (corners("-0.9,-1 -0.15,-0.6 -0.85,0"), corners("0.9,-1 0.85,0 0.15,-0.6"))
_WHISKERS = tuple(
    np.array([(side * 0.25, y), (side, y + tilt), (side, y + tilt + 0.05)])
    for side in (-1, 1)
    for y, tilt in ((0.35, -0.1), (0.42, 0.1))
)
CAT = (
    (
        layer(disc(0, 0.1, 0.9, 0.8), *_EARS),
        layer(
            disc(-0.35, -0.08, 0.14),
            disc(0.35, -0.08, 0.14),
            corners("-0.12,0.2 0.12,0.2 0,0.35"),
            *_WHISKERS,
            ink="black",
        ),
    ),
    (
        layer(disc(0, 0.1, 0.9, 0.8), *_EARS),
        layer(disc(-0.35, -0.05, 0.16, 0.2), disc(0.35, -0.05, 0.16, 0.2), ink="yellow"),
        layer(
            disc(-0.35, -0.05, 0.06, 0.18),
            disc(0.35, -0.05, 0.06, 0.18),
            disc(0, 0.3, 0.12, 0.08),
            ink="black",
        ),
    ),
)
GROWN = {
    "tree": TREE,
    "flower": FLOWER,
    "fish": FISH,
    "sun": SUN,
    "cloud": CLOUD,
    "face": FACE,
    "mushroom": MUSHROOM,
    "apple": APPLE,
    "bird": BIRD,
    "butterfly": BUTTERFLY,
    "drop": DROP,
    "cat": CAT,
}
