"""A thousand planted pairs: every fault is found by its own rule, and no good pair is lost or touched."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence

import pytest

from omma.corpus.clean import TOGETHER, Judged, Pair, Rule, clean
from omma.corpus.clean_likeness import ColourWords, Similarity
from omma.corpus.clean_rules import grounded, pages, web
from tests.corpus import planted
from tests.corpus.planted import Planted

LIKENESS = Similarity(ColourWords(), least=0.3, least_of={"loose": 0.5, "strict": 0.75})


def judged(pairs: Sequence[Pair], rules: Sequence[Rule]) -> list[Judged]:
    return [one for at in range(0, len(pairs), TOGETHER) for one in clean(pairs[at : at + TOGETHER], rules)]


def complaint(want: Planted, got: Judged) -> str:
    """What went otherwise than planted; empty for nothing."""
    told = [(step.rule, step.why) for step in got.steps]
    said = want.pair.texts[0][:60]
    if want.left is None:
        last = got.steps[-1] if got.steps else None
        fell = got.pair is None and last is not None and last.rule == want.rule
        return "" if fell else f"{said!r} should fall by {want.rule}; {told}"
    if got.pair is None or got.pair.texts != (want.left,):
        return f"{said!r} should be left as {want.left[:60]!r}; {told}, {got.pair and got.pair.texts}"
    rules = {step.rule for step in got.steps}
    return "" if rules == ({want.rule} if want.rule else set()) else f"{said!r}: {told}, wanted {want.rule}"


def test_every_fault_is_found_by_its_own_rule_and_no_good_pair_is_lost() -> None:
    rules = web(LIKENESS)
    sown = list(planted.planted(875))
    found = judged([one.pair for one in sown], rules)
    wrong = [told for one, got in zip(sown, found, strict=True) if (told := complaint(one, got))]
    assert not wrong, "\n".join(wrong[:20])
    kinds = Counter(one.rule for one in sown)
    assert kinds[None] > 400
    assert {rule.name for rule in rules} <= set(kinds), "every rule has faults planted for it"


def test_pages_fall_by_their_own_rules() -> None:
    sown = list(planted.pages())
    found = judged([one.pair for one in sown], pages())
    assert not [told for one, got in zip(sown, found, strict=True) if (told := complaint(one, got))]


def test_captions_keep_as_many_boxes_as_planted() -> None:
    sown = list(planted.grounded())
    found = judged([pair for pair, _ in sown], grounded())
    left = [None if got.pair is None else len(got.pair.labels) for got in found]
    assert left == [wanted for _, wanted in sown]
    assert all(got.pair is not None or got.steps[-1].rule == "nested labels" for got in found)


def test_there_are_a_thousand() -> None:
    assert 875 + len(list(planted.pages())) + len(list(planted.grounded())) == 1000


@pytest.mark.parametrize("rules", [web(LIKENESS), grounded(), pages()], ids=["web", "grounded", "pages"])
def test_no_picture_warns(rules: tuple[Rule, ...]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        judged([one.pair for one in planted.planted(60)], rules)
