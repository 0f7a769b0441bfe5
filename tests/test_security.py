"""What SECURITY.md claims is held by tests that are there."""

from __future__ import annotations

import re

from bench.results import ROOT

PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", PAGE)


def test_every_test_that_a_claim_names_is_there() -> None:
    missing = [
        f"{path}::{name}"
        for path, name in NAMED
        if not (ROOT / path).exists() or f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8")
    ]
    assert len(NAMED) > 40
    assert not missing


def test_every_claim_at_a_border_names_its_test() -> None:
    borders = PAGE.partition("## Borders")[2].partition("## What is not defended")[0]
    claims = re.split(r"\n- ", borders)[1:]
    bare = [
        claim[:60] for claim in claims if "::test_" not in claim and not claim.startswith("Fetching is off")
    ]
    assert len(claims) > 20
    assert not bare


def test_what_the_page_says_of_defaults_is_so() -> None:
    from omma.host.limits import SAFE
    from omma.serve.connection import HEAD_BYTES, HEAD_SECONDS, STALLED_SECONDS
    from omma.serve.fetch import FetchLimits
    from omma.serve.media import ShelfLimits
    from omma.serve.settings import Settings

    settings, fetched = Settings(), FetchLimits()
    assert (HEAD_SECONDS, HEAD_BYTES, STALLED_SECONDS) == (10.0, 64 << 10, 30.0)
    assert (settings.body, settings.media) == (32 << 20, 256 << 20)
    assert (settings.arriving, settings.deadline) == (60.0, 600.0)
    assert (fetched.bytes, fetched.seconds, fetched.redirects) == (64 << 20, 20.0, 3)
    assert fetched.ports == {80, 443}
    assert (SAFE.pixels, SAFE.frames, SAFE.seconds) == (64_000_000, 1_000_000, 6 * 3600)
    assert ShelfLimits().seconds == 3600
