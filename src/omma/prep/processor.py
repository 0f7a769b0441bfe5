"""A conversation in, a sample out: pictures opened and cut, words spelled, every token given its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omma.chat import Image, Message, Seen, Text, Video, source_name
from omma.errors import BadFolder, BadPicture, PromptTooLong
from omma.prep.patches import fit, patch_rows
from omma.prep.pictures import open_picture
from omma.prep.positions import mrope_positions
from omma.prep.resize import smart_resize
from omma.prep.rules import PictureRules, read_rules, write_rules
from omma.prep.template import Mark, pieces
from omma.prep.tokenizer import Tokenizer
from omma.sample import Sample, Size, Visual
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
        rules = read_rules(folder)
        vision = spec.vision
        if (rules.patch, rules.temporal, rules.merge) != (vision.patch, vision.temporal, vision.merge):
            raise BadFolder(
                f"{folder}: preprocessor_config.json cuts patches of {rules.patch} pixels, {rules.temporal} "
                f"frames, merged by {rules.merge}; config.json has {vision.patch}, {vision.temporal}, "
                f"{vision.merge}, and both must say the same"
            )
        return cls(Tokenizer.from_file(folder / "tokenizer.json"), spec, rules)

    def save(self, folder: Path) -> None:
        """Write what `from_folder` and transformers read: tokenizer, chat template, settings."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tokenizer.json").write_text(self.tokenizer.source, encoding="utf-8")
        write_rules(self.rules, folder)

    def sample(self, messages: Sequence[Message], *, prompt: bool = True) -> Sample:
        """Ids, positions and patch rows of a conversation.

        A prompt ends where the assistant begins to speak. A whole dialogue (``prompt=False``) carries
        weights: 1 on what the assistant says and on the mark that ends its turn, 0 elsewhere.
        Raises PromptTooLong when it is longer than the decoder's context, and what the media raise.
        """
        ids: list[int] = []
        weights: list[float] = []
        visuals: list[Visual] = []
        for piece in pieces(messages, prompt=prompt):
            match piece.what:
                case Mark(name):
                    new = [self.tokenizer.mark(name)]
                case Text(text):
                    new = self.tokenizer.text(text)
                case Image() | Video() as part:
                    visual = self._visual(part, len(ids))
                    visuals.append(visual)
                    new = [self.spec.ids.image] * (visual.stop - visual.start)
            ids += new
            weights += [float(piece.learned)] * len(new)
        self._check_length(len(ids), visuals)
        positions = mrope_positions(
            len(ids), visuals, merge=self.rules.merge, tokens_per_second=self.spec.tokens_per_second
        )
        weights_T = None if prompt else np.array(weights, np.float32)
        return Sample(np.array(ids, np.int64), positions, tuple(visuals), weights_T)

    def seen(self, sample: Sample) -> tuple[Seen, ...]:
        """The geometry of each picture and video, to read coordinates by."""
        return tuple(Seen(v.kind, v.original, v.resized, self.spec.boxes, v.times) for v in sample.visuals)

    def _visual(self, part: Image | Video, start: int) -> Visual:
        assert isinstance(part, Image)
        picture = open_picture(part.source)
        original = Size(*picture.size)
        rules = self.rules
        try:
            resized = smart_resize(
                original,
                factor=rules.factor,
                min_pixels=part.min_pixels or rules.min_pixels,
                max_pixels=part.max_pixels or rules.max_pixels,
            )
        except BadPicture as error:
            raise BadPicture(f"{source_name(part.source)}: {error}") from None
        rows, grid = patch_rows(
            fit(picture, resized)[None],
            patch=rules.patch,
            temporal=rules.temporal,
            merge=rules.merge,
            mean=rules.mean,
            std=rules.std,
        )
        return Visual("image", rows, grid, start, start + grid.cells(rules.merge), original, resized)

    def _check_length(self, length: int, visuals: Sequence[Visual]) -> None:
        if length > (context := self.spec.decoder.context):
            seen = sum(visual.stop - visual.start for visual in visuals)
            raise PromptTooLong(
                f"the conversation has {length:,} tokens, {seen:,} of them from pictures and videos; the "
                f"model holds {context:,}, so say less, show less, or lower max_pixels"
            )
