"""A conversation in, a sample out: pictures opened and cut, words spelled, every token given its place."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from omma.chat import Image, Message, Seen, Text, Tool, Video
from omma.errors import BadFolder, PromptTooLong
from omma.prep.dialects import SPOKEN_MARK, dialect_of
from omma.prep.positions import blocks_of, mrope_positions
from omma.prep.public_template import asks_for_thoughts, public_template
from omma.prep.ranks import RANKS, RankedTokenizer
from omma.prep.rules import PictureRules, published_rules, read_rules, square_rules, write_rules
from omma.prep.tagged import running_text, tagged_turns, without_tools
from omma.prep.template import (
    DEFAULT_SYSTEM,
    TURN_START,
    VISION_END,
    VISION_START,
    Form,
    Mark,
    Piece,
    pieces,
    spelled,
)
from omma.prep.tokenizer import Tokenizer
from omma.prep.video import slice_words
from omma.prep.visuals import see
from omma.sample import Sample, Visual
from omma.spec import ModelSpec, Written

COMPOSED = 4  # letters that become one at most when a text is brought to NFC


@dataclass(frozen=True)
class Processor:
    """One road for training, evaluation and serving: same conversation, same numbers, bit for bit.

    `thinks` says that answers begin with thoughts, as those of Thinking checkpoints do.
    """

    tokenizer: Tokenizer
    spec: ModelSpec
    rules: PictureRules
    thinks: bool = False

    @classmethod
    def from_folder(cls, folder: Path, spec: ModelSpec) -> Processor:
        """Read tokenizer.json and the processors' settings.

        Raises BadFolder when the folder is not there, or contradicts `spec`.
        """
        if not folder.is_dir():
            raise BadFolder(f"{folder}: there is no such folder; wanted one with tokenizer and picture rules")
        vision = spec.vision
        rules = square_rules(vision) or read_rules(folder, published_rules(spec))
        if (rules.patch, rules.temporal, rules.merge) != (vision.patch, vision.temporal, vision.merge):
            raise BadFolder(
                f"{folder}: preprocessor_config.json cuts patches of {rules.patch} pixels, {rules.temporal} "
                f"frames, merged by {rules.merge}; config.json has {vision.patch}, {vision.temporal}, "
                f"{vision.merge}, and both must say the same"
            )
        ranked = vision.side is not None
        name = RANKS if ranked else "tokenizer.json"
        tokenizer = (RankedTokenizer if ranked else Tokenizer).from_file(folder / name)
        if tokenizer.token_ids != spec.ids:
            raise BadFolder(
                f"{folder}: {name} has {tokenizer.token_ids} and config.json has {spec.ids}; both "
                "must say the same"
            )
        if tokenizer.size > spec.decoder.vocabulary:
            raise BadFolder(
                f"{folder}: {name} goes up to id {tokenizer.size - 1}, and the model embeds "
                f"{spec.decoder.vocabulary} tokens; wanted at least {tokenizer.size}"
            )
        template = _template(folder)
        if template and not ranked and TURN_START.name not in template:
            raise BadFolder(
                f"{folder}: its chat template has no {TURN_START.name}, so the model was taught another form "
                "of conversation than the family's, the one that is written here; take the template out to "
                "use that one all the same"
            )
        return cls(tokenizer, spec, rules, asks_for_thoughts(template))

    @property
    def form(self) -> Form:
        """The form of a conversation."""
        system = DEFAULT_SYSTEM if self.spec.default_system else None
        return Form(system, self.thinks, self.spec.written_times is not None)

    def save(self, folder: Path) -> None:
        """Write what `from_folder` and transformers read: tokenizer, chat template, settings."""
        folder.mkdir(parents=True, exist_ok=True)
        settings = self.tokenizer.public_settings() | {"model_max_length": self.spec.decoder.context}
        if isinstance(self.tokenizer, RankedTokenizer):  # 2023's own code knows the form and the size
            (folder / RANKS).write_bytes(self.tokenizer.ranks)
        else:
            (folder / "tokenizer.json").write_text(self.tokenizer.source, encoding="utf-8")
            template = public_template(self.form)
            (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
            settings |= {"chat_template": template}
            write_rules(self.rules, folder, _PROCESSORS[self.spec.family])
        text = json.dumps(settings, ensure_ascii=False, indent=2)
        (folder / "tokenizer_config.json").write_text(text + "\n", encoding="utf-8")

    def pieces(self, messages: Sequence[Message], *, prompt: bool, tools: Sequence[Tool] = ()) -> list[Piece]:
        """A conversation as text and marks in the form that the model was taught."""
        if [message.role for message in messages] == ["raw"]:
            return [Piece(part) for part in messages[0].parts]
        if not isinstance(self.tokenizer, RankedTokenizer):
            written = pieces(messages, prompt=prompt, form=self.form, tools=tools)
            return spelled(written, self.tokenizer.marks)
        without_tools(messages, tools)
        return (tagged_turns if self.spec.turns else running_text)(messages, prompt=prompt)

    def sample(
        self, messages: Sequence[Message], *, prompt: bool = True, tools: Sequence[Tool] = ()
    ) -> Sample:
        """Ids, positions and patch rows of a conversation.

        A prompt ends where the assistant begins to speak. A whole dialogue (``prompt=False``) carries
        weights: 1 on what the assistant says and on the mark that ends its turn, 0 elsewhere; the first token
        has none.
        Raises PromptTooLong when it is longer than the decoder's context, and what the media raise.
        """
        draft, written = _Draft(self), self.pieces(messages, prompt=prompt, tools=tools)
        self._check_letters(sum(len(piece.what.text) for piece in written if isinstance(piece.what, Text)))
        for piece in written:
            draft.write(piece)
        draft.spell()
        ids, visuals = draft.ids, draft.visuals
        self._check_length(len(ids), visuals)
        # Where nothing turns with row or column, pictures stand in line like words.
        blocks = blocks_of(visuals) if any(self.spec.decoder.sections[1:]) else ()
        positions = mrope_positions(
            len(ids), blocks, merge=self.rules.merge, tokens_per_second=self.spec.tokens_per_second
        )
        weights_T = None if prompt else np.array(draft.weights, np.float32)
        if weights_T is not None:
            weights_T[:1] = 0  # nothing stands before the first token, so nothing can say that it comes
        return Sample(np.array(ids, np.int64), positions, tuple(visuals), weights_T)

    def spelled(self, text: str) -> list[int]:
        """Ids of words; marks of boxes among them are marks, where the model writes such."""
        if dialect_of(self.spec.boxes).dress != "marks":
            return self.tokenizer.text(text)
        ids: list[int] = []
        for words in SPOKEN_MARK.split(text):
            marked = SPOKEN_MARK.fullmatch(words) is not None and words in self.tokenizer.marks
            ids += [self.tokenizer.mark(words)] if marked else self.tokenizer.text(words)
        return ids

    def seen(self, sample: Sample) -> tuple[Seen, ...]:
        """The geometry of each picture and video, to read coordinates by."""
        return tuple(
            Seen(v.kind, v.original, v.resized, self.spec.boxes, v.times, v.name, v.tokens)
            for v in sample.visuals
        )

    def _check_letters(self, letters: int) -> None:
        """Refuse a text that no tokens of the context spell before time goes into spelling it."""
        context = self.spec.decoder.context
        if letters > COMPOSED * context * self.tokenizer.longest:
            raise PromptTooLong(
                f"the conversation has {letters:,} letters; the model holds {context:,} tokens of at most "
                f"{self.tokenizer.longest} bytes, so say less"
            )

    def _check_length(self, length: int, visuals: Sequence[Visual]) -> None:
        if length > (context := self.spec.decoder.context):
            seen = sum(visual.tokens for visual in visuals)
            raise PromptTooLong(
                f"the conversation has {length:,} tokens, {seen:,} of them from pictures and videos; the "
                f"model holds {context:,}, so say less, show less, or lower max_pixels"
            )


_PROCESSORS = {
    "qwen2-vl": "Qwen2VLProcessor",
    "qwen2.5-vl": "Qwen2_5_VLProcessor",
    "qwen3-vl": "Qwen3VLProcessor",
    "qwen3-vl-moe": "Qwen3VLProcessor",
    "described": "OmmaProcessor",  # a class that no other program has: none may write other words
}


@dataclass
class _Draft:
    """A sample while it is written. `words` are still to be spelled: more may follow that belong to them."""

    processor: Processor
    ids: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    visuals: list[Visual] = field(default_factory=list)
    words: str = ""
    learned: bool = False

    def write(self, piece: Piece) -> None:
        """Write one more piece."""
        if isinstance(piece.what, Video) and (written := self.processor.spec.written_times):
            self._write_slices(piece.what, written)
            return
        self.spell()
        match piece.what:
            case Mark(name):
                self._add([self.processor.tokenizer.mark(name)], piece.learned)
            case Text(text):
                self.words, self.learned = text, piece.learned
            case Image() | Video() as part:
                visual = see(part, self.processor.rules, start=len(self.ids), room=self._room())
                self.visuals.append(visual)
                self._add([self._pad(visual)] * visual.tokens, piece.learned)

    def spell(self) -> None:
        """Spell the words that wait."""
        self._add(self.processor.spelled(self.words), self.learned)
        self.words = ""

    def _write_slices(self, part: Video, written: Written) -> None:
        """A video slice by slice, each between marks of its own behind its time in words (facts §3.5).

        The time is spelled together with the words before them, unless those are to be learned.
        """
        if self.learned:
            self.spell()
        self.learned = False
        begun = len(self.ids) + len(self.processor.tokenizer.text(self.words))
        visual = see(part, self.processor.rules, start=0, room=self._room() - begun + len(self.ids))
        tokenizer, stretches = self.processor.tokenizer, []
        for words in slice_words(visual.times, self.processor.rules.temporal, written):
            self.words += words
            self.spell()
            start = len(self.ids) + 1
            stretches.append((start, start + visual.tokens // visual.grid.slices))
            pads = [self._pad(visual)] * (visual.tokens // visual.grid.slices)
            self._add([tokenizer.mark(VISION_START.name), *pads, tokenizer.mark(VISION_END.name)], False)
        start, stop = stretches[0][0], stretches[-1][1]
        self.visuals.append(
            replace(visual, start=start, stop=stop, lead=start - begun, stretches=tuple(stretches))
        )

    def _add(self, new: list[int], learned: bool) -> None:
        self.ids += new
        self.weights += [float(learned)] * len(new)

    def _room(self) -> int:
        return self.processor.spec.decoder.context - len(self.ids)

    def _pad(self, visual: Visual) -> int:
        ids = self.processor.spec.ids
        return ids.image if visual.kind == "image" else ids.video


def _template(folder: Path) -> str:
    """The folder's chat template, wherever it stands; nothing where there is none. Raises BadFolder."""
    path = folder / "chat_template.jinja"
    if path.is_file():
        return path.read_text(encoding="utf-8", errors="replace")
    for name in ("chat_template.json", "tokenizer_config.json"):
        path = folder / name
        try:
            said = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        except (OSError, ValueError) as error:
            raise BadFolder(f"{path} cannot be read: {error}; fetch it again") from None
        if isinstance(said, dict) and isinstance(said.get("chat_template"), str):
            return str(said["chat_template"])
    return ""
