"""What a training run is asked to do and what it reports, so that omma and its peer do the very same."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field

RATE = 1e-4
LESSONS = ("scenes and words", "the school's mix")  # of lengths that are near each other, and of all lengths


@dataclass(frozen=True)
class Task:
    """So many steps of so many dialogues, by AdamW without decay: twice over, and the second time counts.

    The first time a process still takes its memory, which of some thousand steps only the first few do.

    `folder` is the model to go on from; `precision` is float32 or bfloat16, with fp32 masters either way;
    `lessons` is one of LESSONS.
    """

    folder: str
    dialogues: int
    steps: int
    threads: int
    precision: str
    lessons: str = LESSONS[0]
    recompute: bool = False

    def words(self) -> str:
        """The task as one word of a command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_command_line(cls) -> Task:
        """The task this process was started for."""
        return cls(**json.loads(sys.argv[1]))


@dataclass(frozen=True)
class Learned:
    """Median seconds and mean tokens of a step, padding not counted; the last step's loss; bytes at the peak.

    `padding` is the share of rows that were none of the data's. `shares` are seconds of the parts of a step.
    """

    seconds: float
    tokens: float
    loss: float
    peak: int
    padding: float = 0.0
    shares: dict[str, float] = field(default_factory=dict)

    def tell(self) -> None:
        """Write it where the bench reads it: the last line of stdout."""
        print(json.dumps(asdict(self)))
