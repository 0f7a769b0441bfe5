"""A loaded model that answers: the one object a person holds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from torch import Tensor

from omma.chat import THOUGHTS_END, Delta, Gathering, Message, Options, Seen, Spoken, messages
from omma.engine.engine import score
from omma.engine.generate import Piece, generate
from omma.engine.grammar import Grammar, Grammars, Vocabulary
from omma.engine.request import Request, ends, read_defaults, request
from omma.errors import MissingExtra, OmmaError
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
        size = loaded.spec.decoder.vocabulary
        self._defaults = read_defaults(loaded.generation, loaded.spec.ids, size)
        # An answer of a shape ends where the shape does, in a folder too whose answers never end.
        self._shaped = replace(self._defaults, stop_ids=self._defaults.stop_ids or ends(loaded.spec.ids))
        self._grammars = Grammars(
            Vocabulary(loaded.processor.tokenizer, size, self._shaped.stop_ids),
            thinks=loaded.processor.thinks,
        )

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
        asked, seen = self.prepared(messages(spoken), options)
        return (delta(piece, seen) for piece in self._pieces([asked]))

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
                    asked, shown[index] = self.prepared(messages(spoken), options)
                except OmmaError as wrong:
                    refused.append((index, alone(wrong)))
                else:
                    places.append(index)
                    yield asked

        gathered: dict[int, Gathering[Reply]] = {}
        for piece in self._pieces(line(), rows=rows):
            while refused:
                yield refused.popleft()
            place = places[piece.index]
            if piece.error is not None:
                answer: Reply | OmmaError | None = alone(piece.error)
            else:
                answer = gathered.setdefault(place, Gathering(Reply)).take(delta(piece, shown[place]))
            if answer is not None:
                yield place, answer
                gathered.pop(place, None)
                del shown[place]
        yield from refused

    def logits(self, spoken: Spoken) -> Tensor:
        """Scores of the next token after every token, fp32 (T, V).

        A conversation that ends with the assistant is taken whole, any other as a prompt for it.
        """
        told = messages(spoken)
        return score(self.network, self.processor.sample(told, prompt=told[-1].role != "assistant"))

    def prepared(
        self, spoken: Sequence[Message], options: Options, *, tenant: str = ""
    ) -> tuple[Request, tuple[Seen, ...]]:
        """A conversation as the engine wants it, and what was shown. Nothing of the model is run.

        Raises BadMessage, BadPicture, BadVideo, BadShape, PromptTooLong, OutOfMemory and MissingExtra.
        """
        with memory_for("opening what is shown", "show fewer pictures, or smaller ones"):
            sample = self.processor.sample(spoken, tools=options.tools)
        seen = self.processor.seen(sample)
        grammar: Grammar | None = None if options.shape is None else self._grammars.of(options.shape, seen)
        context = self.spec.decoder.context
        thought = self.processor.tokenizer.mark(THOUGHTS_END) if self.thinks else None
        asked = request(
            sample,
            options,
            self._defaults if grammar is None else self._shaped,
            context=context,
            tenant=tenant,
            grammar=grammar,
            thoughts_end=thought,
        )
        if grammar is not None and grammar.endings is not None:
            grammar.endings.ready(asked.max_tokens)
        return asked, seen

    def ready(self) -> bool:
        """Make ready what a first answer of a shape would wait for; False where the extra is absent."""
        try:
            self._grammars.ready()
        except MissingExtra:
            return False
        return True

    def spell(self, token: int) -> bytes:
        """The bytes that a token of an answer writes; marks write none, but places where they are told so."""
        places = dialect_of(self.dialect).dress != "json"
        return self.processor.tokenizer.bytes_of(token, skip_marks=True, places=places)

    def _pieces(self, requests: Iterable[Request], *, rows: int = 1) -> Iterator[Piece]:
        return generate(self.network, requests, self.spell, rows=rows)


def delta(piece: Piece, seen: tuple[Seen, ...]) -> Delta:
    """A piece as it is told; the last one says what was seen. Raises what ended it, if something did."""
    if piece.error is not None:
        raise piece.error
    last = piece.finish is not None
    return Delta(piece.text, piece.finish, piece.usage, seen if last else (), piece.chosen, piece.read)
