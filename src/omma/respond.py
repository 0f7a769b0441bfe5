"""A loaded model that answers: the one object a person holds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from torch import Tensor

from omma.chat import Delta, Message, Options, Seen, Spoken, messages
from omma.engine.engine import score
from omma.engine.generate import Piece, generate
from omma.engine.request import Request, read_defaults, request
from omma.errors import OmmaError
from omma.loading import Loaded
from omma.model.memory import memory_for
from omma.prep.dialects import dialect_of
from omma.verbs import PLAIN, Reply, Verbs, alone


class Model(Verbs):
    """Asks a model that lies in this process. A `chat.Responder`; made by `omma.load`.

    Options are those of `chat.Options`, by name; what is left open is as the model's generation_config.json
    says, greedy where it says nothing. An unknown option or a value out of range is an UnknownOption.
    """

    def __init__(self, loaded: Loaded) -> None:
        self.name, self.spec, self.processor = loaded.name, loaded.spec, loaded.processor
        self.network = loaded.model
        self._defaults = read_defaults(loaded.generation, loaded.spec.ids)

    def __repr__(self) -> str:
        weight = next(self.network.parameters())
        return f"<omma.Model {self.name}: {self.spec.family}, {weight.dtype}, {weight.device}>"

    @property
    def thinks(self) -> bool:
        """Whether its answers begin with thoughts."""
        return self.processor.thinks

    @property
    def dialect(self) -> str:
        """How it writes places and times: a name in prep.dialects."""
        return self.spec.boxes

    def stream(self, spoken: Sequence[Message], options: Options = PLAIN) -> Iterator[Delta]:
        """Answer piece by piece. What is wrong with the conversation is raised before the first piece."""
        options.check()
        asked, seen = self._request(spoken, options)
        return (_delta(piece, seen) for piece in self._pieces([asked]))

    def answers(
        self, conversations: Iterable[Spoken], options: Options = PLAIN, *, rows: int = 32
    ) -> Iterator[tuple[int, Reply | OmmaError]]:
        """Answers to many conversations, each with its place in line, as they are finished.

        `rows` are answered at a time; a conversation is drawn, and its pictures opened, when its turn comes.
        One that cannot be answered ends alone: its error comes in the answer's place, and the others go on.
        Options out of their range are raised.
        """
        options.check()
        places: list[int] = []  # of each request, its conversation
        shown: dict[int, tuple[Seen, ...]] = {}
        refused: deque[tuple[int, OmmaError]] = deque()

        def line() -> Iterator[Request]:
            for index, spoken in enumerate(conversations):
                try:
                    asked, shown[index] = self._request(messages(spoken), options)
                except OmmaError as wrong:
                    refused.append((index, alone(wrong)))
                else:
                    places.append(index)
                    yield asked

        texts: dict[int, str] = {}
        for piece in self._pieces(line(), rows=rows):
            while refused:
                yield refused.popleft()
            place = places[piece.index]
            texts[place] = texts.get(place, "") + piece.text
            if piece.error is not None:
                yield place, alone(piece.error)
            elif piece.finish is not None and piece.usage is not None:
                yield place, Reply(texts[place], piece.finish, piece.usage, shown[place])
            else:
                continue
            del texts[place], shown[place]
        yield from refused

    def logits(self, spoken: Spoken) -> Tensor:
        """Scores of the next token after every token, fp32 (T, V).

        A conversation that ends with the assistant is taken whole, any other as a prompt for it.
        """
        told = messages(spoken)
        return score(self.network, self.processor.sample(told, prompt=told[-1].role != "assistant"))

    def _request(self, spoken: Sequence[Message], options: Options) -> tuple[Request, tuple[Seen, ...]]:
        with memory_for("opening what is shown", "show fewer pictures, or smaller ones"):
            sample = self.processor.sample(spoken)
        asked = request(sample, options, self._defaults, context=self.spec.decoder.context)
        return asked, self.processor.seen(sample)

    def _pieces(self, requests: Iterable[Request], *, rows: int = 1) -> Iterator[Piece]:
        places = dialect_of(self.dialect).dress != "json"
        bytes_of = partial(self.processor.tokenizer.bytes_of, skip_marks=True, places=places)
        return generate(self.network, requests, bytes_of, rows=rows)


def _delta(piece: Piece, seen: tuple[Seen, ...]) -> Delta:
    if piece.error is not None:
        raise piece.error
    return Delta(piece.text, piece.finish, piece.usage, seen if piece.finish is not None else ())
