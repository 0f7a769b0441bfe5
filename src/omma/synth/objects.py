"""The outlines of made things: each in one or several simple manners, back to front."""

from __future__ import annotations

import numpy as np

from omma.synth.outlines import arc, corners, disc, layer, rect

_WALLS = layer(rect(-0.8, -0.15, 0.8, 1))
HOUSE = (
    (
        layer(rect(0.4, -0.85, 0.65, -0.2), ink="shade"),
        _WALLS,
        layer(corners("0,-1 1,-0.12 -1,-0.12"), ink="shade"),
        layer(rect(-0.15, 0.4, 0.25, 1), ink="brown"),
        layer(rect(-0.6, 0.1, -0.25, 0.45), rect(0.4, 0.1, 0.7, 0.45), ink="white"),
    ),
    (
        _WALLS,
        layer(corners("0,-1 1,-0.12 -1,-0.12"), ink="brown"),
        layer(rect(-0.2, 0.3, 0.2, 1), ink="black"),
    ),
    (
        layer(rect(-0.6, -0.3, 0.6, 1)),
        layer(corners("0,-1 0.8,-0.25 -0.8,-0.25"), ink="shade"),
        layer(rect(-0.18, 0.5, 0.18, 1), ink="brown"),
        layer(rect(-0.42, -0.1, -0.1, 0.25), rect(0.1, -0.1, 0.42, 0.25), ink="yellow"),
    ),
    (
        layer(
            corners("0,-1 1,-0.1 0.75,-0.1 0.75,1 0.2,1 0.2,0.4 -0.2,0.4 -0.2,1 -0.75,1 -0.75,-0.1 -1,-0.1")
        ),
    ),
)
_WHEELS = (
    layer(disc(-0.55, 0.4, 0.23), disc(0.55, 0.4, 0.23), ink="black"),
    layer(disc(-0.55, 0.4, 0.1), disc(0.55, 0.4, 0.1), ink="gray"),
)
CAR = (
    (
        layer(
            corners("-0.6,-0.05 -0.38,-0.5 0.3,-0.5 0.6,-0.05"),
            corners("-1,0 -0.9,-0.1 0.85,-0.1 1,0.05 1,0.4 -1,0.4"),
        ),
        layer(
            corners("-0.44,-0.1 -0.3,-0.4 -0.06,-0.4 -0.06,-0.1"),
            corners("0.04,-0.1 0.04,-0.4 0.24,-0.4 0.42,-0.1"),
            ink="white",
        ),
        *_WHEELS,
    ),
    (
        layer(rect(-1, -0.1, 1, 0.38), rect(-0.55, -0.5, 0.5, 0)),
        layer(rect(-0.42, -0.4, -0.06, -0.1), rect(0.04, -0.4, 0.38, -0.1), ink="white"),
        layer(disc(-0.5, 0.38, 0.22), disc(0.5, 0.38, 0.22), ink="black"),
    ),
    (
        layer(np.concatenate([arc(0, 0.35, 0.95, 0.8, 1, 1), corners("0.95,0.4 -0.95,0.4")])),
        layer(np.concatenate([arc(0, 0, 0.5, 0.35, 1, 1)]), ink="white"),
        *_WHEELS,
    ),
)
CUP = (
    (
        layer(disc(0.55, 0, 0.42, 0.45), holes=(disc(0.55, 0, 0.25, 0.28),)),
        layer(corners("-0.95,-0.8 0.55,-0.8 0.45,0.8 -0.85,0.8")),
        layer(disc(-0.2, -0.8, 0.75, 0.14), ink="shade"),
    ),
    (
        layer(rect(0.3, -0.45, 0.95, 0.35), holes=(rect(0.3, -0.25, 0.73, 0.15),)),
        layer(rect(-0.85, -0.75, 0.5, 0.75)),
    ),
    (
        layer(disc(0.5, -0.25, 0.4, 0.35), holes=(disc(0.5, -0.25, 0.22, 0.18),)),
        layer(np.concatenate([arc(-0.2, -0.7, 0.8, 1.2, 0, 1)])),
        layer(disc(-0.2, 0.62, 0.7, 0.12), ink="shade"),
    ),
)
KEY = (
    (
        layer(
            disc(-0.6, 0, 0.4),
            rect(-0.3, -0.1, 1, 0.1),
            rect(0.55, 0, 0.68, 0.4),
            rect(0.82, 0, 0.95, 0.34),
            holes=(disc(-0.6, 0, 0.18),),
        ),
    ),
    (
        layer(
            rect(-1, -0.4, -0.25, 0.4),
            rect(-0.3, -0.08, 1, 0.08),
            rect(0.85, 0, 1, 0.35),
            rect(0.55, 0, 0.7, 0.28),
            holes=(rect(-0.8, -0.2, -0.45, 0.2),),
        ),
    ),
)
_HULL = layer(corners("-1,0.35 1,0.35 0.65,0.95 -0.65,0.95"))
BOAT = (
    (
        layer(rect(-0.05, -1, 0.05, 0.4), ink="brown"),
        layer(corners("0.1,-0.95 0.85,0.2 0.1,0.2"), corners("-0.1,-0.7 -0.1,0.2 -0.7,0.2"), ink="gray"),
        _HULL,
    ),
    (
        layer(rect(-0.06, -1, 0.06, 0.4), ink="black"),
        layer(corners("0.06,-0.95 0.75,0.1 0.06,0.1")),
        _HULL,
    ),
    (
        layer(rect(-0.3, -0.25, 0.4, 0.4), ink="gray"),
        layer(rect(0, -0.75, 0.25, -0.2), ink="black"),
        _HULL,
    ),
)
_HOOK = np.concatenate([arc(0.19, 0.8, 0.25, 0.2, 1, -1), arc(0.19, 0.8, 0.12, 0.09, 0, 1)])
UMBRELLA = (
    (
        layer(rect(-0.06, -0.1, 0.07, 0.82), _HOOK, ink="black"),
        layer(arc(0, 0.02, 1, 1, 1, 1), holes=tuple(disc(x, 0.02, 0.34, 0.18) for x in (-0.66, 0, 0.66))),
    ),
    (layer(rect(-0.05, -1, 0.05, 0.85), _HOOK, ink="brown"), layer(arc(0, 0.05, 1, 0.9, 1, 1))),
)
BALLOON = (
    (
        layer(rect(-0.03, 0.45, 0.03, 1), ink="black"),
        layer(disc(0, -0.3, 0.62, 0.7), corners("0,0.3 0.14,0.55 -0.14,0.55")),
        layer(disc(-0.25, -0.55, 0.1, 0.17), ink="white"),
    ),
    (
        layer(rect(-0.02, 0.3, 0.02, 1), ink="gray"),
        layer(disc(0, -0.4, 0.55, 0.6), corners("0,0.1 0.1,0.32 -0.1,0.32")),
    ),
)
ENVELOPE = (
    (
        layer(rect(-1, -0.65, 1, 0.65)),
        layer(corners("-1,-0.65 0,0.15 1,-0.65 1,-0.5 0,0.3 -1,-0.5"), ink="shade"),
    ),
    (layer(rect(-1, -0.65, 1, 0.65)), layer(corners("-1,-0.65 0,0.12 1,-0.65"), ink="shade")),
    (layer(rect(-1, -0.65, 1, 0.65)), layer(corners("-0.92,-0.58 0,0.1 0.92,-0.58"), ink="white")),
)
BOOK = (
    (
        layer(rect(-0.75, -1, 0.75, 1)),
        layer(rect(-0.75, -1, -0.55, 1), ink="shade"),
        layer(rect(-0.3, -0.7, 0.5, -0.3), ink="white"),
    ),
    (
        layer(corners("0,-0.55 1,-0.75 1,0.6 0,0.75 -1,0.6 -1,-0.75")),
        layer(corners("-0.04,-0.5 0.04,-0.5 0.04,0.7 -0.04,0.7"), ink="shade"),
        layer(corners("-0.8,-0.35 -0.2,-0.22 -0.2,-0.12 -0.8,-0.25"), ink="shade"),
        layer(corners("0.8,-0.35 0.2,-0.22 0.2,-0.12 0.8,-0.25"), ink="shade"),
    ),
)
LAMP = (
    (
        layer(rect(-0.07, 0, 0.07, 0.9), rect(-0.45, 0.85, 0.45, 1), ink="gray"),
        layer(corners("-0.35,-1 0.35,-1 0.75,0.1 -0.75,0.1")),
    ),
    (
        layer(rect(-0.06, 0, 0.06, 0.9), arc(0, 1, 0.5, 0.25, 1, 1), ink="black"),
        layer(arc(0, 0.05, 0.75, 1, 1, 1)),
    ),
)
CLOCK = (
    (
        layer(disc()),
        layer(disc(rx=0.78), ink="white"),
        layer(rect(-0.05, -0.55, 0.05, 0.05), rect(-0.05, -0.05, 0.42, 0.05), disc(rx=0.08), ink="black"),
    ),
    (
        layer(disc()),
        layer(disc(rx=0.85), ink="white"),
        layer(rect(-0.04, -0.6, 0.04, 0.04), corners("0,0.06 -0.4,0.35 -0.36,0.41 0.05,0"), ink="black"),
        layer(rect(-0.04, -0.8, 0.04, -0.68), rect(-0.04, 0.68, 0.04, 0.8), ink="black"),
        layer(rect(-0.8, -0.04, -0.68, 0.04), rect(0.68, -0.04, 0.8, 0.04), ink="black"),
    ),
)
_BOTTLE = "-0.16,-0.8 0.16,-0.8 0.16,-0.4 0.42,-0.1 0.42,1 -0.42,1 -0.42,-0.1 -0.16,-0.4"
BOTTLE = (
    (
        layer(rect(-0.2, -1, 0.2, -0.8), ink="shade"),
        layer(corners(_BOTTLE)),
        layer(rect(-0.42, 0.15, 0.42, 0.65), ink="white"),
    ),
    (layer(rect(-0.2, -1, 0.2, -0.78), ink="gray"), layer(corners(_BOTTLE))),
)
MADE = {
    "house": HOUSE,
    "car": CAR,
    "cup": CUP,
    "key": KEY,
    "boat": BOAT,
    "umbrella": UMBRELLA,
    "balloon": BALLOON,
    "envelope": ENVELOPE,
    "book": BOOK,
    "lamp": LAMP,
    "clock": CLOCK,
    "bottle": BOTTLE,
}
