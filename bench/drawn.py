"""The dialogues that omma and its peer learn from in the bench: each process draws them, all the same."""

from __future__ import annotations

from pathlib import Path

from bench.lessons import LESSONS, RATE, Task
from omma.sample import Size
from omma.train.feed import lesson_of
from omma.train.lesson import Lesson
from omma.train.recipe import AdamW, Course, Rate, Recipe, Worlds
from omma.weights import read_spec
from recipes.nano import school

SIZES = (Size(196, 140), Size(224, 224), Size(252, 168), Size(168, 168))


def courses_of(task: Task) -> tuple[Course, ...]:
    """What is drawn: two worlds, or all that omma-nano learns from but films."""
    if task.lessons == LESSONS[0]:
        return tuple(Course(world, level=1, sizes=SIZES) for world in ("scenes", "words"))
    mix = school.grow().data
    assert isinstance(mix, Worlds)
    return tuple(course for course in mix.courses if course.world != "clips")


def recipe_of(task: Task) -> Recipe:
    """The task as omma runs it."""
    folder = Path(task.folder)
    return Recipe(
        name="bench",
        model=read_spec(folder),
        start=folder,
        processor=folder,
        data=Worlds(courses_of(task)),
        steps=2 * task.steps,
        dialogues=task.dialogues,
        rate=Rate(peak=RATE, final=RATE, warm_up=0, shape="trapezoid"),
        optimiser=AdamW(betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0),
        precision=task.precision,
        recompute=task.recompute,
    )


def steps_of(task: Task) -> list[list[Lesson]]:
    """The dialogues of every step."""
    recipe = recipe_of(task)
    return [
        [lesson_of(recipe, number * task.dialogues + i, "train") for i in range(task.dialogues)]
        for number in range(task.steps)
    ]
