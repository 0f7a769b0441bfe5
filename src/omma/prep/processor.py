"""A conversation in, a sample out: pictures opened and cut, words spelled, every token given its place."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omma.chat import Image, Message, Seen, Text, Video
from omma.errors import BadFolder, PromptTooLong
from omma.prep.positions import mrope_positions
from omma.prep.ranks import RANKS, RankedTokenizer
from omma.prep.rules import PictureRules, read_rules, square_rules, write_rules
from omma.prep.tagged import running_text, tagged_turns
from omma.prep.template import PUBLIC_TEMPLATE, Mark, Piece, pieces
from omma.prep.tokenizer import Tokenizer
from omma.prep.visuals import see
from omma.sample import Sample, Visual
from omma.spec import ModelSpec


@dataclass(frozen=True)
class Processor:
    """One road for training, evaluation and serving: same conversation, same numbers, bit for bit."""

    tokenizer: Tokenizer
    spec: ModelSpec
    rules: PictureRules

    @classmethod
    def from_folder(cls, folder: Path, spec: ModelSpec) -> Processor:
        """Read tokenizer.json and the processors' settings. Raises BadFolder when they contradict `spec`."""
        vision = spec.vision
        rules = square_rules(vision) or read_rules(folder)
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
        return cls(tokenizer, spec, rules)

    def save(self, folder: Path) -> None:
        """Write what `from_folder` and transformers read: tokenizer, chat template, settings."""
        folder.mkdir(parents=True, exist_ok=True)
        settings = self.tokenizer.public_settings() | {"model_max_length": self.spec.decoder.context}
        if isinstance(self.tokenizer, RankedTokenizer):  # 2023's own code knows the form and the size
            (folder / RANKS).write_bytes(self.tokenizer.ranks)
        else:
            (folder / "tokenizer.json").write_text(self.tokenizer.source, encoding="utf-8")
            (folder / "chat_template.jinja").write_text(PUBLIC_TEMPLATE, encoding="utf-8")
            settings |= {"chat_template": PUBLIC_TEMPLATE}
            write_rules(self.rules, folder)
        text = json.dumps(settings, ensure_ascii=False, indent=2)
        (folder / "tokenizer_config.json").write_text(text + "\n", encoding="utf-8")

    def pieces(self, messages: Sequence[Message], *, prompt: bool) -> list[Piece]:
        """A conversation as text and marks in the form that the model was taught."""
        if not isinstance(self.tokenizer, RankedTokenizer):
            return pieces(messages, prompt=prompt)
        return (tagged_turns if self.spec.turns else running_text)(messages, prompt=prompt)

    def sample(self, messages: Sequence[Message], *, prompt: bool = True) -> Sample:
        """Ids, positions and patch rows of a conversation.

        A prompt ends where the assistant begins to speak. A whole dialogue (``prompt=False``) carries
        weights: 1 on what the assistant says and on the mark that ends its turn, 0 elsewhere.
        Raises PromptTooLong when it is longer than the decoder's context, and what the media raise.
        """
        ids: list[int] = []
        weights: list[float] = []
        visuals: list[Visual] = []
        for piece in self.pieces(messages, prompt=prompt):
            match piece.what:
                case Mark(name):
                    new = [self.tokenizer.mark(name)]
                case Text(text):
                    new = self.tokenizer.text(text)
                case Image() | Video() as part:
                    visual = see(part, self.rules, start=len(ids), room=self.spec.decoder.context - len(ids))
                    visuals.append(visual)
                    pad = self.spec.ids.image if visual.kind == "image" else self.spec.ids.video
                    new = [pad] * (visual.stop - visual.start)
            ids += new
            weights += [float(piece.learned)] * len(new)
        self._check_length(len(ids), visuals)
        # Where nothing turns with row or column, pictures stand in line like words.
        blocks = visuals if any(self.spec.decoder.sections[1:]) else ()
        positions = mrope_positions(
            len(ids), blocks, merge=self.rules.merge, tokens_per_second=self.spec.tokens_per_second
        )
        weights_T = None if prompt else np.array(weights, np.float32)
        return Sample(np.array(ids, np.int64), positions, tuple(visuals), weights_T)

    def seen(self, sample: Sample) -> tuple[Seen, ...]:
        """The geometry of each picture and video, to read coordinates by."""
        return tuple(
            Seen(v.kind, v.original, v.resized, self.spec.boxes, v.times, v.name) for v in sample.visuals
        )

    def _check_length(self, length: int, visuals: Sequence[Visual]) -> None:
        if length > (context := self.spec.decoder.context):
            seen = sum(visual.stop - visual.start for visual in visuals)
            raise PromptTooLong(
                f"the conversation has {length:,} tokens, {seen:,} of them from pictures and videos; the "
                f"model holds {context:,}, so say less, show less, or lower max_pixels"
            )
