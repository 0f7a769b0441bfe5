"""The school of omma-nano: ten stages from random weights to a model that answers.

    omma train recipes/nano/school.py:see --out runs/nano/see

and so with each of them, in this order; `make train` does.

1. see     the tower and the bridge learn what stands at each place of a drawn picture (dense marks, no words)
2. talk    everything learns: whole dialogues, in which the model picks up the language of answers
3. tell    every turn stands apart, so that nothing but the picture can tell; marks stay as a second teacher
4. spell   the tower alone, on small pages printed full: letters
5. learn   everything on everything, at one rate
6. study   the same, each token chosen for what it teaches
7. match   several things to tell apart, a dozen brief questions to a picture
8. name    the same, with what visual tokens show held to the words for it
9. answer  the rate falls; the sizes and levels are those that people bring
10. widen  on from there, as long as there is time; then `answer` again

Why these stages, and what was tried: docs/log.md.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from omma.prep.tokenizer import Tokenizer
from omma.sample import Size
from omma.spec import DecoderSpec, ModelSpec, SwiGLU, VisionSpec
from omma.train.recipe import Course, Muon, Rate, Recipe, Worlds

HERE = Path(__file__).parent
RUNS = Path("runs/nano")
PROCESSOR = HERE / "processor"  # made once by recipes/nano/vocabulary.py, committed
VOCABULARY = 1024

# The merger's large square is dear to orthogonalise. AdamW's parts want a lower rate than Muon's.
APART = ("vision.merger.inner.",)
SCALE = {"vision.merger.inner.": 0.15, "head.": 0.3, "decoder.embedding.": 0.5}

TINY = (Size(112, 112), Size(168, 84), Size(140, 112), Size(168, 112))
SMALL = (Size(168, 168), Size(196, 140), Size(140, 196), Size(224, 112), Size(168, 112))
MIDDLE = (Size(224, 224), Size(280, 196), Size(252, 168), Size(196, 252), Size(280, 140))
READINGS = ("read", "read_line", "read_heading", "read_colour", "count")
MATCHINGS = ("colour", "shape", "place", "relation", "compare", "exists", "count")
BESIDES = ("relation", "compare")
TELLINGS = (
    *("describe", "colour", "shape", "count", "relation", "compare", "place", "exists", "background"),
    "direction",
)
LARGE = (Size(336, 252), Size(320, 240), Size(392, 280), Size(448, 336), Size(420, 210))


def spec() -> ModelSpec:
    """A true Qwen2.5-VL at small widths. A low rope base suits its few frequencies and short texts."""
    return ModelSpec(
        vision=VisionSpec(
            depth=6,
            width=256,
            heads=4,
            feed_forward=SwiGLU(640, bias=True),
            out_width=256,
            full_layers=(2, 5),
        ),
        decoder=DecoderSpec(
            depth=6,
            width=256,
            heads=4,
            key_heads=2,
            head_width=64,
            feed_forward=SwiGLU(768),
            vocabulary=VOCABULARY,
            tied=True,
            sections=(8, 12, 12),
            rope_theta=100.0,
            context=4096,
        ),
        ids=Tokenizer.from_file(PROCESSOR / "tokenizer.json").token_ids,
        boxes="grid",
    )


def see() -> Recipe:
    """Tower and bridge from nothing: every place of every picture says what it is."""
    return Recipe(
        name="nano-see",
        model=spec(),
        processor=PROCESSOR,
        data=Worlds(
            (
                Course("scenes", 1.0, level=1, sizes=SMALL),
                Course("scenes", 1.0, level=2, sizes=SMALL + MIDDLE),
                Course("words", 1.5, level=0, sizes=SMALL),
                Course("words", 1.5, level=1, sizes=SMALL + MIDDLE),
                Course("words", 1.0, level=2, sizes=MIDDLE),
                Course("screens", 1.0, level=1, sizes=MIDDLE),
            )
        ),
        steps=600,
        dialogues=16,
        learns=("vision", "bridge"),
        words=0.0,
        marks=1.0,
        optimiser=Muon(apart=APART),
        scale=SCALE,
        rate=Rate(peak=3e-3, final=3e-3, warm_up=60, shape="trapezoid"),
    )


def talk() -> Recipe:
    """Everything learns: the language of questions and answers, in dialogues of several turns."""
    return Recipe(
        name="nano-talk",
        model=spec(),
        processor=PROCESSOR,
        start=RUNS / "see" / "model",
        data=Worlds(
            (
                Course("scenes", 1.5, level=0, sizes=SMALL),
                Course("scenes", 1.5, level=1, sizes=SMALL + MIDDLE),
                Course("scenes", 1.0, level=2, sizes=MIDDLE),
                Course("words", 1.5, level=0, sizes=SMALL),
                Course("words", 1.5, level=1, sizes=SMALL + MIDDLE),
                Course("words", 1.0, level=2, sizes=MIDDLE),
                Course("screens", 1.0, level=0, sizes=MIDDLE),
                Course("screens", 1.0, level=1, sizes=MIDDLE),
            )
        ),
        steps=600,
        dialogues=16,
        marks=0.5,
        optimiser=Muon(apart=APART),
        scale=SCALE,
        rate=Rate(peak=3e-3, final=3e-3, warm_up=80, shape="trapezoid"),
        seed=1,
    )


def tell() -> Recipe:
    """Every question is answered from the picture alone; the easy worlds come up most."""
    return replace(
        talk(),
        name="nano-tell",
        start=RUNS / "talk" / "model",
        data=Worlds(
            (
                Course("scenes", 2.0, level=0, sizes=SMALL),
                Course("scenes", 2.0, level=1, sizes=SMALL + MIDDLE),
                Course("scenes", 0.7, level=2, sizes=MIDDLE),
                Course("words", 1.7, level=0, sizes=SMALL),
                Course("words", 1.5, level=1, sizes=SMALL + MIDDLE),
                Course("words", 0.7, level=2, sizes=MIDDLE),
                Course("screens", 1.0, level=0, sizes=MIDDLE),
                Course("screens", 0.7, level=1, sizes=MIDDLE),
            )
        ),
        steps=6000,
        marks=1.0,
        scale=SCALE | {"head.": 1.5},
        apart=True,
        roots=True,
        rate=Rate(peak=1e-3, final=5e-5, warm_up=40, shape="trapezoid", fall=0.2),
        seed=3,
    )


def spell() -> Recipe:
    """The tower alone again, on small pages printed full: the most letters that a second can hold."""
    return replace(
        see(),
        name="nano-spell",
        start=RUNS / "tell" / "model",
        data=Worlds(
            (
                Course("letters", 3.0, level=0, sizes=TINY),
                Course("letters", 4.0, level=1, sizes=TINY),
                Course("letters", 2.0, level=2, sizes=TINY),
                Course("scenes", 2.0, level=1, sizes=TINY),
                Course("scenes", 1.0, level=2, sizes=TINY),
            )
        ),
        steps=1200,
        dialogues=64,
        scale=SCALE | {"head.": 1.0},
        rate=Rate(peak=2e-3, final=2e-4, warm_up=40, shape="trapezoid", fall=0.25),
        seed=4,
    )


def learn() -> Recipe:
    """Everything learns everything, at one rate."""
    return replace(
        tell(),
        name="nano-learn",
        start=RUNS / "spell" / "model",
        data=Worlds(
            (
                Course("letters", 1.5, level=0, sizes=TINY),
                Course("letters", 1.5, level=1, sizes=TINY),
                Course("letters", 0.5, level=2, sizes=TINY),
                Course("words", 1.2, level=0, sizes=TINY + SMALL),
                Course("words", 1.0, level=1, sizes=SMALL),
                Course("words", 0.8, level=2, sizes=MIDDLE),
                Course("scenes", 1.0, level=0, sizes=TINY),
                Course("scenes", 1.5, level=1, sizes=TINY + SMALL),
                Course("scenes", 0.8, level=2, sizes=SMALL + MIDDLE),
                Course("screens", 0.6, level=0, sizes=MIDDLE),
                Course("screens", 0.4, level=1, sizes=MIDDLE),
            )
        ),
        steps=1800,
        dialogues=48,
        scale=SCALE | {"head.": 1.0},
        rate=Rate(peak=1.4e-3, final=1.4e-3, warm_up=60, shape="trapezoid"),
        seed=5,
    )


def study() -> Recipe:
    """The same, so that each token teaches: full pages are only read, a scene is asked about many times.

    Boxes are long to write, and come in courses of their own.
    """
    return replace(
        learn(),
        name="nano-study",
        start=RUNS / "learn" / "model",
        data=Worlds(
            (
                Course("letters", 1.0, level=0, sizes=TINY, tasks=("read",)),
                Course("letters", 3.0, level=1, sizes=SMALL, tasks=("read",)),
                Course("letters", 3.0, level=2, sizes=SMALL, tasks=("read",)),
                Course("letters", 0.4, level=1, sizes=TINY),
                Course("words", 1.0, level=0, sizes=TINY + SMALL, tasks=("read",)),
                Course("words", 0.8, level=1, sizes=SMALL + MIDDLE),
                Course("words", 1.2, level=2, sizes=MIDDLE, tasks=READINGS),
                Course("words", 0.4, level=2, sizes=MIDDLE + LARGE),
                Course("scenes", 1.0, level=0, sizes=SMALL + MIDDLE + LARGE, tasks=TELLINGS, questions=10),
                Course("scenes", 1.4, level=1, sizes=TINY + SMALL, tasks=TELLINGS, questions=16),
                Course("scenes", 0.6, level=1, sizes=MIDDLE + LARGE, tasks=TELLINGS, questions=16),
                Course("scenes", 1.2, level=2, sizes=SMALL + MIDDLE, tasks=TELLINGS, questions=16),
                Course("scenes", 1.2, level=1, sizes=TINY + SMALL, tasks=BESIDES, questions=10),
                Course("scenes", 0.8, level=2, sizes=SMALL + MIDDLE, tasks=BESIDES, questions=10),
                Course("scenes", 0.4, level=0, sizes=SMALL + MIDDLE + LARGE),
                Course("scenes", 0.6, level=1, sizes=SMALL + MIDDLE),
                Course("screens", 0.7, level=0, sizes=MIDDLE),
                Course("screens", 0.7, level=1, sizes=MIDDLE + LARGE),
            )
        ),
        steps=200,
        dialogues=64,
        rate=Rate(peak=1.4e-3, final=1.4e-3, warm_up=60, shape="trapezoid"),
        seed=7,
    )


def match() -> Recipe:
    """Which of several things is meant: small scenes, a dozen brief questions each, a little of the rest."""
    return replace(
        study(),
        name="nano-match",
        start=RUNS / "study" / "model",
        data=Worlds(
            (
                Course("scenes", 3.0, level=1, sizes=TINY, tasks=MATCHINGS, questions=14),
                Course("scenes", 1.0, level=2, sizes=TINY, tasks=MATCHINGS, questions=14),
                Course("scenes", 0.3, level=1, sizes=TINY + SMALL),
                Course("letters", 0.8, level=1, sizes=TINY, tasks=("read",)),
                Course("words", 0.3, level=0, sizes=TINY, tasks=("read",)),
                Course("words", 0.2, level=2, sizes=MIDDLE, tasks=READINGS),
                Course("screens", 0.1, level=0, sizes=MIDDLE),
            )
        ),
        seed=9,
    )


def name() -> Recipe:
    """The same, with bridge and table of words held together: what is asked for can be searched for."""
    return replace(
        match(),
        name="nano-name",
        start=RUNS / "match" / "model",
        names=0.3,
        rate=Rate(peak=1.4e-3, final=1.4e-3, warm_up=30, shape="trapezoid"),
        seed=10,
    )


def answer() -> Recipe:
    """The rate falls; the sizes and the levels are those that people bring, and boxes are back in force."""
    return replace(
        study(),
        name="nano-answer",
        start=RUNS / "name" / "model",
        data=Worlds(
            (
                Course("letters", 1.0, level=2, sizes=SMALL, tasks=("read",)),
                Course("words", 1.0, level=0, sizes=SMALL + MIDDLE + LARGE, tasks=("read",)),
                Course("words", 0.8, level=1, sizes=MIDDLE),
                Course("words", 2.0, level=2, sizes=MIDDLE + LARGE, tasks=READINGS),
                Course("words", 0.5, level=2, sizes=MIDDLE),
                Course("scenes", 1.0, level=1, sizes=TINY, tasks=MATCHINGS, questions=14),
                Course("scenes", 0.8, level=0, sizes=MIDDLE + LARGE, tasks=TELLINGS, questions=10),
                Course("scenes", 1.2, level=1, sizes=SMALL + MIDDLE + LARGE, tasks=TELLINGS, questions=14),
                Course("scenes", 1.0, level=2, sizes=MIDDLE + LARGE, tasks=TELLINGS, questions=14),
                Course("scenes", 0.8, level=1, sizes=MIDDLE, tasks=BESIDES, questions=10),
                Course("scenes", 0.5, level=2, sizes=MIDDLE, tasks=BESIDES, questions=10),
                Course("scenes", 0.6, level=0, sizes=MIDDLE + LARGE),
                Course("scenes", 0.8, level=1, sizes=MIDDLE + LARGE),
                Course("screens", 0.9, level=0, sizes=MIDDLE + LARGE),
                Course("screens", 0.9, level=1, sizes=MIDDLE + LARGE),
            )
        ),
        steps=360,
        dialogues=48,
        names=0.3,
        rate=Rate(peak=1.2e-3, final=2e-5, warm_up=10, shape="trapezoid", fall=0.97),
        seed=8,
    )


def widen() -> Recipe:
    """On from what was given out, at a cooler rate: wider type, crowded scenes, screens, boxes."""
    return replace(
        answer(),
        name="nano-widen",
        start=RUNS / "answer" / "model",
        data=Worlds(
            (
                Course("letters", 1.0, level=1, sizes=SMALL, tasks=("read",)),
                Course("letters", 2.0, level=2, sizes=SMALL + MIDDLE, tasks=("read",)),
                Course("words", 1.0, level=0, sizes=SMALL + MIDDLE + LARGE, tasks=("read",)),
                Course("words", 1.0, level=1, sizes=MIDDLE + LARGE),
                Course("words", 3.0, level=2, sizes=MIDDLE + LARGE, tasks=READINGS),
                Course("scenes", 1.0, level=1, sizes=TINY, tasks=MATCHINGS, questions=14),
                Course("scenes", 1.0, level=2, sizes=TINY + SMALL, tasks=MATCHINGS, questions=14),
                Course("scenes", 0.6, level=1, sizes=MIDDLE + LARGE, tasks=TELLINGS, questions=10),
                Course("scenes", 0.5, level=0, sizes=MIDDLE + LARGE),
                Course("scenes", 1.0, level=1, sizes=SMALL + MIDDLE + LARGE),
                Course("scenes", 0.5, level=2, sizes=MIDDLE),
                Course("screens", 1.0, level=0, sizes=MIDDLE + LARGE),
                Course("screens", 1.2, level=1, sizes=MIDDLE + LARGE),
            )
        ),
        steps=3000,
        rate=Rate(peak=7e-4, final=7e-4, warm_up=40, shape="trapezoid"),
        seed=11,
    )
