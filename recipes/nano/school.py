"""The school of omma-nano: a Qwen3-VL of small widths, from random weights in six stages.

    omma train recipes/nano/school.py:see --out runs/nano/second-see

and so with each of them, in this order; `make train` does.

1. see     the tower and its bridges learn what stands at each place of a drawn picture (dense marks alone)
2. learn   everything learns: pages are read, small crowded scenes are asked about a dozen times
3. drill   reading, searching and counting in force where a sample is cheap: slips of print, small pictures
4. grow    pictures of the sizes that people bring, from every world; things are found and pointed at in force
5. answer  the rate falls, over all of it
6. again   the same once more, briefly and at half the rate, with more of what is still weak

`learn`, `drill` and `grow` go at one rate, so that the next stage can be taken up from any step of them.
`further` is `grow` from the weights in the package, for machines that do not hold the runs before. The runs
are called after the edition, the second; of the first, and of the steps that the bundled weights had,
docs/log.md tells.

Why this build. A decoder that reads has to step from one visual token to its neighbour and to find a thing
wherever it stands. Sections of rotary frequencies that lie one after another leave columns with slow
frequencies alone and time with fast ones; interleaved, each axis has both. Learned positions stretched over
the picture say where in it a patch lies, which is what a box on a grid of thousandths asks for. Earlier
layers' features, given to the decoder's first layers, make room for the letters of a token and not only for
their sum.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from omma.loading import BUNDLED
from omma.prep.tokenizer import Tokenizer
from omma.sample import Size
from omma.spec import DecoderSpec, Gelu, ModelSpec, SwiGLU, VisionSpec, Written
from omma.synth.exercise import STRIPS
from omma.synth.suites import SPOKEN
from omma.train.recipe import Course, Muon, Rate, Recipe, Worlds

RUNS = Path("runs/nano")
HEAD = Path(__file__).parent / "marks.safetensors"  # the bundled weights' dense head
PROCESSOR = Path(__file__).parent / "processor"  # made once by recipes/nano/vocabulary.py, committed
VOCABULARY = 2048

# The bridges' large squares are dear to orthogonalise. AdamW's parts want a lower rate than Muon's.
BRIDGES = tuple(f"vision.{bridge}.inner." for bridge in ("merger", "deep.0", "deep.1"))
SCALE = dict.fromkeys(BRIDGES, 0.15) | {"head.": 1.0, "decoder.embedding.": 0.5, "vision.places.": 0.5}

SLIPS = (Size(140, 56), Size(196, 56), Size(224, 56), Size(280, 56), Size(224, 84), Size(336, 56))
TINY = (Size(112, 112), Size(168, 84), Size(140, 112), Size(168, 112))
SMALL = (Size(168, 168), Size(196, 140), Size(140, 196), Size(224, 112), Size(168, 112))
MIDDLE = (Size(224, 224), Size(280, 196), Size(252, 168), Size(196, 252), Size(280, 140))
LARGE = (Size(336, 252), Size(320, 240), Size(392, 280), Size(448, 336), Size(420, 210))
READINGS = ("read", "read_line", "read_heading", "read_colour", "count")
MATCHINGS = ("colour", "shape", "place", "relation", "compare", "exists", "count")
BESIDES = ("relation", "compare")
SEEKINGS = ("has_word", "find")  # of words by their letters, as the label of a button is sought
PLACINGS = ("find", "point")
TELLINGS = (
    *("describe", "colour", "shape", "count", "relation", "compare", "place", "exists", "background"),
    "direction",
)

REST = (  # worlds that the stages before do not know, and how often they come up
    *(("pages", 0.6), ("signs", 0.6), ("tables", 0.8), ("charts", 0.8), ("forms", 0.4), ("receipts", 0.4)),
    *(("invoices", 0.5), ("named", 0.8), ("languages", 1.0), ("chinese", 0.5), ("sums", 0.4)),
)


def tower() -> VisionSpec:
    """Six layers that see the whole picture, learned places, two earlier looks for the decoder."""
    return VisionSpec(
        depth=6,
        width=256,
        heads=4,
        feed_forward=Gelu(1024, "tanh"),
        out_width=256,
        window=None,
        full_layers=(),
        norm="layer",
        patch_bias=True,
        places=16,
        deepstack=(1, 3),
    )


def decoder() -> DecoderSpec:
    """Six layers. A rope base of 1,000 gives 32 frequencies that turn once in 6 to 5,000 tokens."""
    return DecoderSpec(
        depth=6,
        width=256,
        heads=4,
        key_heads=2,
        head_width=64,
        feed_forward=SwiGLU(768),
        vocabulary=VOCABULARY,
        tied=True,
        sections=(12, 10, 10),
        rope_theta=1000.0,
        context=4096,
        attention_bias=False,
        interleaved=True,
        head_norm=True,
    )


def spec() -> ModelSpec:
    """A true Qwen3-VL at small widths, with the earlier generations' patches of 14 pixels."""
    return ModelSpec(
        vision=tower(),
        decoder=decoder(),
        ids=Tokenizer.from_file(PROCESSOR / "tokenizer.json").token_ids,
        tokens_per_second=None,
        boxes="grid",
        family="qwen3-vl",
        written_times=Written(),
        default_system=False,
    )


def see() -> Recipe:
    """Tower and bridges from nothing, on small pages printed full and small crowded scenes."""
    return Recipe(
        name="nano-second-see",
        model=spec(),
        processor=PROCESSOR,
        data=Worlds(
            (
                Course("letters", 3.0, level=0, sizes=TINY),
                Course("letters", 4.0, level=1, sizes=TINY),
                Course("letters", 2.0, level=2, sizes=TINY),
                Course("scenes", 2.0, level=1, sizes=TINY),
                Course("scenes", 1.0, level=2, sizes=TINY),
                Course("words", 0.5, level=1, sizes=SMALL),
                Course("words", 0.3, level=2, sizes=MIDDLE),
                Course("screens", 0.3, level=1, sizes=MIDDLE),
            )
        ),
        steps=1400,
        dialogues=64,
        learns=("vision", "bridge"),
        words=0.0,
        marks=1.0,
        optimiser=Muon(apart=BRIDGES),
        scale=SCALE,
        rate=Rate(peak=2e-3, final=3e-4, warm_up=40, shape="trapezoid", fall=0.3),
        seed=20,
    )


def learn() -> Recipe:
    """Everything learns everything. Pages are read, a scene is asked about many times, briefly."""
    return replace(
        see(),
        name="nano-second-learn",
        start=RUNS / "second-see" / "model",
        data=Worlds(
            (
                Course("letters", 1.5, level=1, sizes=TINY, tasks=("read",)),
                Course("letters", 2.0, level=2, sizes=TINY + SMALL, tasks=("read",)),
                Course("words", 1.0, level=0, sizes=TINY + SMALL, tasks=("read",)),
                Course("words", 1.0, level=1, sizes=SMALL),
                Course("words", 1.2, level=2, sizes=SMALL + MIDDLE, tasks=READINGS),
                Course("scenes", 2.0, level=1, sizes=TINY, tasks=MATCHINGS, questions=14),
                Course("scenes", 1.0, level=2, sizes=TINY, tasks=MATCHINGS, questions=14),
                Course("scenes", 0.5, level=0, sizes=TINY + SMALL, tasks=TELLINGS, questions=10),
                Course("scenes", 0.7, level=1, sizes=SMALL, tasks=TELLINGS, questions=14),
                Course("scenes", 0.5, level=2, sizes=SMALL, tasks=BESIDES, questions=10),
                Course("scenes", 0.5, level=0, sizes=TINY + SMALL),
                Course("scenes", 0.5, level=1, sizes=SMALL),
                Course("screens", 0.6, level=0, sizes=MIDDLE),
                Course("screens", 0.4, level=1, sizes=MIDDLE),
            )
        ),
        steps=4000,
        dialogues=48,
        learns=("vision", "bridge", "decoder"),
        words=1.0,
        names=0.3,
        apart=True,
        roots=True,
        scale=SCALE | dict.fromkeys(("vision.layers.", "vision.patches."), 0.4) | {"vision.places.": 0.2},
        rate=Rate(peak=1.2e-3, final=1.2e-3, warm_up=60, shape="trapezoid"),
        seed=21,
    )


def drill() -> Recipe:
    """Reading, searching and counting in force, on small pictures: a step holds three times as many."""
    return replace(
        learn(),
        name="nano-second-drill",
        start=RUNS / "second-learn" / "model",
        data=Worlds(
            (
                Course("letters", 0.8, level=2, sizes=SLIPS, tasks=("read",)),
                Course("words", 0.8, level=0, sizes=SLIPS, tasks=("read",)),
                Course("words", 1.2, level=1, sizes=SLIPS, tasks=("read",)),
                Course("words", 1.7, level=2, sizes=SLIPS, tasks=("read",)),
                Course("words", 0.5, level=2, sizes=MIDDLE + STRIPS, tasks=READINGS, questions=5),
                Course("words", 0.9, level=1, sizes=SLIPS, tasks=SEEKINGS, questions=8),
                Course("words", 0.4, level=2, sizes=SMALL + STRIPS, tasks=SEEKINGS, questions=8),
                Course("words", 0.4, level=1, sizes=SLIPS + STRIPS, tasks=("read_boxes",)),
                Course("screens", 0.7, level=1, sizes=SMALL, tasks=PLACINGS, questions=10),
                Course("screens", 0.2, level=2, sizes=MIDDLE, tasks=PLACINGS, questions=10),
                Course("scenes", 0.6, level=2, sizes=TINY + SMALL, tasks=("find", "count"), questions=12),
                Course("scenes", 0.5, level=1, sizes=TINY + SMALL, tasks=MATCHINGS, questions=14),
            )
        ),
        steps=2000,
        dialogues=70,
        rate=Rate(peak=1e-3, final=1e-3, warm_up=20, shape="trapezoid"),
        seed=29,
    )


def grow() -> Recipe:
    """Pictures of the sizes that people bring: what was learned on small ones may not hold there."""
    return replace(
        learn(),
        name="nano-second-grow",
        start=RUNS / "second-drill" / "model",
        data=Worlds(
            (
                Course("letters", 2.0, level=2, sizes=SMALL + STRIPS, tasks=("read",)),
                Course("words", 0.6, level=0, sizes=MIDDLE + LARGE, tasks=("read",)),
                Course("words", 1.0, level=1, sizes=MIDDLE + LARGE + STRIPS, tasks=READINGS, questions=5),
                Course("words", 2.0, level=2, sizes=MIDDLE + LARGE + STRIPS, tasks=READINGS, questions=5),
                Course("scenes", 0.5, level=1, sizes=TINY, tasks=MATCHINGS, questions=14),
                Course("scenes", 0.5, level=0, sizes=MIDDLE + LARGE, tasks=TELLINGS, questions=14),
                Course("scenes", 1.5, level=1, sizes=MIDDLE + LARGE, tasks=TELLINGS, questions=14),
                Course("scenes", 1.2, level=0, sizes=SMALL + MIDDLE + LARGE, tasks=PLACINGS, questions=10),
                Course("scenes", 1.6, level=1, sizes=SMALL + MIDDLE + LARGE, tasks=PLACINGS, questions=10),
                Course("screens", 1.2, level=0, sizes=MIDDLE + LARGE, tasks=PLACINGS, questions=10),
                Course("screens", 1.0, level=1, sizes=MIDDLE + LARGE, tasks=PLACINGS, questions=10),
                *(Course(world, weight * 0.4, level=0) for world, weight in REST),
                Course("compared", 0.3, level=0),
                Course("clips", 0.5, level=0),
            )
        ),
        dialogues=24,  # of larger pictures: as many tokens a step as before
        rate=Rate(peak=1e-3, final=1e-3, warm_up=20, shape="trapezoid"),
        seed=24,
    )


def further() -> Recipe:
    """`grow` from the weights in the package: how the school goes on where its runs are not at hand."""
    return replace(grow(), name="nano-second-further", start=BUNDLED["omma-nano"], head=HEAD, seed=25)


COURSES = (  # of the last stage: everything, in the sizes that people bring
    Course("letters", 1.0, level=2, sizes=SMALL + STRIPS, tasks=("read",)),
    Course("words", 1.0, level=0, sizes=SLIPS, tasks=("read",)),
    Course("words", 2.5, level=1, sizes=SLIPS, tasks=("read",)),
    Course("words", 4.5, level=2, sizes=SLIPS, tasks=("read",)),
    Course("words", 0.5, level=0, sizes=MIDDLE + LARGE, tasks=("read",)),
    Course("words", 1.5, level=1, sizes=MIDDLE + LARGE + STRIPS, tasks=READINGS, questions=5),
    Course("words", 3.5, level=2, sizes=MIDDLE + LARGE + STRIPS, tasks=READINGS, questions=5),
    Course("words", 0.8, level=1, sizes=SLIPS + STRIPS, tasks=SEEKINGS, questions=8),
    Course("words", 1.2, level=2, sizes=MIDDLE + STRIPS, tasks=(*SEEKINGS, "read_boxes"), questions=8),
    Course("scenes", 1.5, level=1, sizes=TINY, tasks=MATCHINGS, questions=14),
    Course("scenes", 0.8, level=0, sizes=SMALL + MIDDLE + LARGE, tasks=TELLINGS, questions=10),
    Course("scenes", 2.0, level=1, sizes=SMALL + MIDDLE + LARGE, tasks=TELLINGS, questions=14),
    Course("scenes", 1.2, level=2, sizes=MIDDLE + LARGE, tasks=TELLINGS, questions=14),
    Course("scenes", 0.6, level=1, sizes=MIDDLE, tasks=BESIDES, questions=10),
    Course("scenes", 1.6, level=2, sizes=SMALL + MIDDLE + LARGE, tasks=("count",), questions=8),
    Course("scenes", 1.6, level=3, sizes=MIDDLE + LARGE, tasks=("find", "count"), questions=8),
    Course("scenes", 0.5, level=0, sizes=MIDDLE + LARGE),
    Course("scenes", 0.6, level=1, sizes=MIDDLE + LARGE),
    Course("scenes", 0.5, level=0, sizes=SMALL + MIDDLE + LARGE, tasks=PLACINGS, questions=10),
    Course("scenes", 1.2, level=1, sizes=SMALL + MIDDLE + LARGE, tasks=PLACINGS, questions=10),
    Course("scenes", 1.8, level=2, sizes=SMALL + MIDDLE + LARGE, tasks=PLACINGS, questions=10),
    Course("screens", 0.4, level=0, sizes=MIDDLE + LARGE),
    Course("screens", 0.6, level=1, sizes=MIDDLE + LARGE),
    Course("screens", 0.5, level=0, sizes=MIDDLE + LARGE, tasks=PLACINGS, questions=10),
    Course("screens", 2.4, level=1, sizes=SMALL + MIDDLE + LARGE, tasks=PLACINGS, questions=10),
    Course("screens", 1.0, level=2, sizes=MIDDLE + LARGE, tasks=PLACINGS, questions=10),
    *(Course(world, weight * 0.4, level=0) for world, weight in REST),
    *(Course(world, weight * 0.4, level=1) for world, weight in REST),
    Course("compared", 0.4, level=1),
    Course("clips", 0.9, level=1),
)


def answer() -> Recipe:
    """The rate falls, over all that was learned."""
    return replace(
        learn(),
        name="nano-second-answer",
        start=RUNS / "second-grow" / "model",
        data=Worlds(COURSES),
        steps=450,
        dialogues=36,
        rate=Rate(peak=1e-3, final=2e-5, warm_up=10, shape="trapezoid", fall=0.97),
        seed=22,
    )


DOCUMENTS = (
    ("tables", 2.0),
    ("charts", 2.4),
    ("invoices", 2.2),
    ("receipts", 1.4),
    ("forms", 1.8),
    ("pages", 1.6),
)
LEFT_WEAK = (  # by the stage before: small print, things alike, labels, languages, documents, clips
    Course("words", 3.0, level=2, sizes=STRIPS + MIDDLE, tasks=("read",)),
    Course("words", 2.0, level=2, sizes=SLIPS, tasks=("read",)),
    Course("scenes", 2.0, level=2, sizes=TINY + SMALL, tasks=("find", "count"), questions=10),
    Course("scenes", 2.0, level=3, sizes=SMALL + MIDDLE, tasks=("find", "count"), questions=10),
    Course("scenes", 2.0, level=2, sizes=SMALL + MIDDLE + LARGE, tasks=PLACINGS, questions=10),
    Course("screens", 3.0, level=1, sizes=SMALL + MIDDLE, tasks=PLACINGS, questions=10),
    Course("languages", 4.0, level=0, sizes=TINY + SMALL, tasks=SPOKEN, questions=14),
    Course("languages", 8.0, level=1, sizes=TINY + SMALL, tasks=SPOKEN, questions=14),
    *(Course(world, weight * 0.6, level=0) for world, weight in DOCUMENTS),
    *(Course(world, weight * 0.4, level=1) for world, weight in DOCUMENTS),
    *(Course("named", 1.0, level=level) for level in (0, 1)),
    *(Course("clips", 1.2, level=level) for level in (0, 1)),
    Course("compared", 1.0, level=1),
)


def again() -> Recipe:
    """`answer` once more from where it ended, at half the rate, with more of what it left weak."""
    return replace(
        answer(),
        name="nano-second-again",
        start=RUNS / "second-answer" / "model",
        data=Worlds(COURSES + LEFT_WEAK),
        steps=1000,
        rate=Rate(peak=5e-4, final=2e-5, warm_up=5, shape="trapezoid", fall=0.95),
        seed=35,
    )
