"""What is asked of the engine: a sample, how its tokens are drawn, and where its answer ends. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from omma.chat import Options
from omma.engine.grammar import Grammar
from omma.errors import BadFolder, PromptTooLong, UnknownOption
from omma.sample import Sample
from omma.spec import TokenIds

LONGEST_BY_DEFAULT = 1024  # tokens written where neither the caller nor the model's folder says how many

# What a generation_config.json may say that would change an answer and that this engine does not do,
# each with the value at which it does nothing.
NOT_DONE: Mapping[str, tuple[Any, ...]] = {
    "num_beams": (1,),
    "no_repeat_ngram_size": (0,),
    "encoder_no_repeat_ngram_size": (0,),
    "encoder_repetition_penalty": (1.0,),
    "typical_p": (1.0,),
    "epsilon_cutoff": (0.0,),
    "eta_cutoff": (0.0,),
    "penalty_alpha": (0.0,),
    "min_length": (0,),
    "min_new_tokens": (0,),
    "guidance_scale": (1.0,),
    "bad_words_ids": ([],),
    "suppress_tokens": ([],),
    "begin_suppress_tokens": ([],),
    "forced_bos_token_id": (),
    "forced_eos_token_id": (),
    "sequence_bias": ({}, []),
    "stop_strings": ([],),
    "watermarking_config": (),
}


@dataclass(frozen=True)
class Sampling:
    """How one token is drawn from its logits; neutral by default, ranges as in `chat.Options`."""

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    seed: int | None = None


@dataclass(frozen=True)
class Defaults:
    """What a model's folder says about generating (facts §5.5)."""

    sampling: Sampling
    stop_ids: frozenset[int]
    max_tokens: int = LONGEST_BY_DEFAULT


@dataclass(frozen=True)
class Request:
    """One answer to be written: at most `max_tokens` tokens, ending at a stop id or at a stop text.

    `tenant` is for whom: nothing remembered of one is used for another. `logprobs` likeliest tokens are told
    beside each, None for no log-probabilities at all. With `loops` an answer that goes round in a circle is
    ended. What is written up to the token `thoughts_end` counts as thoughts, where there is such a token.
    `shown` are the digests of what the sample shows (`content.digests`), if somebody has made them. With
    `scores_prompt` the prompt's tokens are scored like the answer's; it is read from its beginning then.
    """

    sample: Sample
    sampling: Sampling
    stop_ids: frozenset[int]
    max_tokens: int
    stop: tuple[str, ...] = ()
    tenant: str = ""
    grammar: Grammar | None = None
    logprobs: int | None = None
    loops: bool = False
    thoughts_end: int | None = None
    shown: tuple[bytes, ...] | None = None
    scores_prompt: bool = False


def read_defaults(generation: Mapping[str, Any], ids: TokenIds, vocabulary: int | None = None) -> Defaults:
    """Read a generation_config.json. Where it is silent: greedy, the ends of turn and text stop, 1024 tokens.

    With a `vocabulary` of so many tokens, ids that it lacks end nothing; a file that names no others, as
    transformers writes beside small vocabularies, is silent about ends.
    Raises BadFolder for a value out of range, and for a wish this engine does not do: an answer is never
    silently drawn in another way than the folder says.
    """
    said = {name: value for name, value in generation.items() if value is not None}
    for name, neutral in NOT_DONE.items():
        if name in said and said[name] not in neutral:
            raise BadFolder(
                f"generation_config.json asks for {name} = {said[name]!r}, which this engine does not do; "
                "take it out of the file"
            )
    names = [field.name for field in fields(Sampling) if field.name != "seed"]
    wishes = {name: said[name] for name in names if name in said}
    wishes["temperature"] = said.get("temperature", 1.0) if said.get("do_sample") else 0.0
    wishes["max_tokens"] = said.get("max_new_tokens", LONGEST_BY_DEFAULT)
    try:
        options = Options.of(**wishes)
    except UnknownOption as wrong:
        raise BadFolder(f"generation_config.json: {wrong}") from wrong
    stop_ids = _stop_ids(said.get("eos_token_id"), ids, vocabulary)
    if said.get("chat_format") == "chatml":  # 2023's file names the end of text alone (facts §5.2)
        stop_ids |= {ids.turn_end, ids.turn_start}
    return Defaults(
        sampling=_drawn(options, Sampling()),
        stop_ids=stop_ids,
        max_tokens=wishes["max_tokens"],
    )


def request(
    sample: Sample,
    options: Options,
    defaults: Defaults,
    *,
    context: int,
    tenant: str = "",
    grammar: Grammar | None = None,
    thoughts_end: int | None = None,
) -> Request:
    """Settle what the options leave open. Raises PromptTooLong when no room for a token is left.

    `context` is in tokens, prompt and answer together; an answer is never longer than what it leaves. An
    answer that begins with thoughts has `thoughts_end` for their last token.
    """
    left = context - sample.length
    if left < 1:
        raise PromptTooLong(
            f"the prompt has {sample.length} tokens, the model's context holds {context} with the answer; "
            "say less, show fewer pictures, or give them a smaller max_pixels"
        )
    wanted = defaults.max_tokens if options.max_tokens is None else options.max_tokens
    return Request(
        sample=sample,
        sampling=_drawn(options, defaults.sampling),
        stop_ids=defaults.stop_ids,
        max_tokens=min(wanted, left),
        stop=options.stop,
        tenant=tenant,
        grammar=grammar,
        logprobs=options.logprobs,
        loops=not options.keep_loops,
        thoughts_end=thoughts_end,
        scores_prompt=options.prompt_logprobs,
    )


def _drawn(options: Options, otherwise: Sampling) -> Sampling:
    chosen = {field.name: getattr(options, field.name) for field in fields(Sampling)}
    return Sampling(
        **{name: getattr(otherwise, name) if value is None else value for name, value in chosen.items()}
    )


def ends(ids: TokenIds) -> frozenset[int]:
    """What ends an answer where nothing is said: the ends of a turn and of a text."""
    return frozenset({ids.turn_end, ids.end_of_text})


def _stop_ids(said: Any, ids: TokenIds, vocabulary: int | None) -> frozenset[int]:
    if said is None:
        return ends(ids)
    listed = said if isinstance(said, list) else [said]
    if any(isinstance(one, bool) or not isinstance(one, int) for one in listed):
        raise BadFolder(
            f"generation_config.json: eos_token_id is {said!r}; wanted a token id or a list of them"
        )
    known = [one for one in listed if one >= 0 and (vocabulary is None or one < vocabulary)]
    return ends(ids) if listed and not known else frozenset(known)
