"""Keys: who speaks for whom; a broken file is refused by its entry, and no secret is ever shown."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest

from omma.errors import BadInput, MissingFile
from omma.serve import keys as keys_room
from omma.serve.keys import KeyRing, new_secret
from omma.serve.quota import Allowance

SECRET = "omma-secret-of-anna"
DIGEST = hashlib.sha256(b"omma-secret-of-bob!").hexdigest()


def ring(text: str, folder: Path) -> KeyRing:
    path = folder / "keys.toml"
    path.write_text(text)
    return KeyRing.from_file(path)


def test_a_key_speaks_for_its_tenant(tmp_path: Path) -> None:
    text = f'[keys]\nanna = {{ secret = "{SECRET}" }}\nbob = {{ sha256 = "{DIGEST}", tenant = "lab" }}\n'
    there = ring(text + "[tenants.lab]\nat_once = 2\ntokens_a_minute = 60\n", tmp_path)
    assert there.tenant(SECRET) == "anna"
    assert there.tenant("omma-secret-of-bob!") == "lab"
    assert there.allowed == {"lab": Allowance(at_once=2, tokens_a_minute=60)}
    for wrong in ("", SECRET[:-1], SECRET + " ", SECRET.upper(), DIGEST, "é" * 19, "\ud800"):
        assert there.tenant(wrong) is None


def test_the_file_in_the_docs_is_taken_as_it_stands_there(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")
    there = ring(page.partition("```toml\n")[2].partition("```")[0], tmp_path)
    assert there.tenant("omma-at-least-16-letters") == "lab"
    assert there.allowed == {"lab": Allowance(4, 16, 1 << 28, 60_000)}
    usual = Allowance()
    assert f"answered at a time; {usual.at_once}\n" in page
    assert f"in line; {usual.waiting}\n" in page
    assert f"{usual.bytes >> 20} MiB\n" in page


def test_every_key_is_compared_whole_whichever_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    there = KeyRing.of({f"secret-number-{i:04}": f"tenant {i}" for i in range(5)})
    compared = []
    whole = hmac.compare_digest

    def counted(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return whole(one, other)

    monkeypatch.setattr(keys_room.hmac, "compare_digest", counted)
    assert there.tenant("secret-number-0000") == "tenant 0"
    assert there.tenant("nothing") is None
    assert len(compared) == 10


def test_the_ring_holds_no_secret() -> None:
    there = KeyRing.of({SECRET: "anna"})
    assert SECRET not in repr(vars(there))


def test_new_secrets_are_long_and_differ() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert min(map(len, made)) == 48


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "holds no keys"),
        ("[keys]\n", "holds no keys"),
        ("keys = 3", "wanted a table"),
        ("[keys]\nanna = 'x'", "keys.anna is str"),
        ("[keys]\nanna = {}", "neither of secret and sha256"),
        (f"[keys]\nanna = {{ secret = '{SECRET}', sha256 = '{DIGEST}' }}", "both of secret and sha256"),
        ("[keys]\nanna = { secret = 'short' }", "too weak"),
        ("[keys]\nanna = { sha256 = 'abc' }", "64 hexadecimal"),
        (f"[keys]\nanna = {{ secret = '{SECRET}', tenant = 'a b' }}", "tenant is 'a b'"),
        (f"[keys]\n'../x' = {{ secret = '{SECRET}' }}", "wanted letters"),
        (f"[keys]\nanna = {{ secret = '{SECRET}', quota = 3 }}", "quota, which nobody reads"),
        (f"[keys]\nanna = {{ secret = '{SECRET}' }}\nbob = {{ secret = '{SECRET}' }}", "one secret to two"),
        (f"[keys]\nanna = {{ secret = '{SECRET}' }}\n[tenants.bob]\nat_once = 1", "tenants.bob has no key"),
        (f"[keys]\nanna = {{ secret = '{SECRET}' }}\n[tenants.anna]\nat_once = 0", "at_once is 0"),
        (f"[keys]\nanna = {{ secret = '{SECRET}' }}\n[tenants.anna]\nspeed = 1", "speed, which nobody reads"),
        (f"[keys]\nanna = {{ secret = '{SECRET}' }}\n[more]", "more, which nobody reads"),
        (f"[keys\n{SECRET}", "no TOML"),
    ],
)
def test_a_broken_file_is_refused_without_showing_a_secret(text: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=why) as told:
        ring(text, tmp_path)
    assert SECRET not in str(told.value)
    assert "keys.toml" in str(told.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"absent\.toml"):
        KeyRing.from_file(tmp_path / "absent.toml")
