"""Who may speak to the server: keys, the tenant each speaks for, and what each tenant is allowed.

The file is TOML. It holds secrets, or only their SHA-256, with which nobody can come in::

    [keys]
    anna = { sha256 = "9f86d081884c7d65…", tenant = "lab" }
    bench = { secret = "omma-…" }          # its tenant is "bench"

    [tenants.lab]
    at_once = 4
    tokens_a_minute = 60_000
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from omma.errors import BadInput, MissingFile
from omma.serve.quota import Allowance

SHORTEST = 16  # letters of a secret; new ones have 48
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Key:
    """A key as it is kept: its digest, never itself."""

    name: str
    tenant: str
    digest: bytes


class KeyRing:
    """Keys by which tenants are known, and what those tenants are allowed."""

    def __init__(self, keys: Iterable[Key], allowed: Mapping[str, Allowance] | None = None) -> None:
        self.keys = tuple(keys)
        self.allowed = dict(allowed or {})

    def __bool__(self) -> bool:
        """Whether there are keys at all; without any, everyone may come in."""
        return bool(self.keys)

    def tenant(self, presented: str) -> str | None:
        """The tenant that a presented key speaks for, None where it is no key.

        It takes as long for every text of one length: digests are compared, all of them, whole.
        """
        digest = hashlib.sha256(presented.encode("utf-8", "surrogatepass")).digest()
        found: str | None = None
        for key in self.keys:
            if hmac.compare_digest(key.digest, digest):
                found = key.tenant
        return found

    @classmethod
    def of(cls, tenants: Mapping[str, str]) -> KeyRing:
        """Keys given as they are, each with its tenant."""
        return cls(
            Key(f"key {i}", tenant, hashlib.sha256(secret.encode()).digest())
            for i, (secret, tenant) in enumerate(tenants.items(), 1)
        )

    @classmethod
    def from_file(cls, path: Path) -> KeyRing:
        """Read a file of keys. Raises MissingFile, or BadInput naming the entry; never showing a secret."""
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise MissingFile(f"{path} cannot be opened: {(error.strerror or str(error)).lower()}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadInput(f"{path} is no TOML: {str(error).partition(':')[0]}") from None
        _known(raw, {"keys", "tenants"}, str(path))
        keys = [_key(name, entry, f"{path}: keys.{name}") for name, entry in _table(raw, "keys", path)]
        if not keys:
            raise BadInput(f"{path} holds no keys; wanted a table [keys] with one at least")
        if len({key.digest for key in keys}) < len(keys):
            raise BadInput(
                f"{path} gives one secret to two names; make another with omma.serve.keys.new_secret"
            )
        tenants = {key.tenant for key in keys}
        allowed: dict[str, Allowance] = {}
        for name, entry in _table(raw, "tenants", path):
            if name not in tenants:
                raise BadInput(
                    f"{path}: tenants.{name} has no key; wanted one of {', '.join(sorted(tenants))}"
                )
            allowed[name] = _allowance(entry, f"{path}: tenants.{name}")
        return cls(keys, allowed)


def new_secret() -> str:
    """A secret that nobody guesses: 256 bits of the system's randomness."""
    return "omma-" + secrets.token_urlsafe(32)


def _table(raw: Mapping[str, Any], name: str, path: Path) -> Iterable[tuple[str, Any]]:
    table = raw.get(name, {})
    if not isinstance(table, dict):
        raise BadInput(f"{path}: {name} is {type(table).__name__}; wanted a table")
    for key in table:
        if not _NAME.fullmatch(key):
            raise BadInput(f"{path}: {name} has the name {key[:80]!r}; wanted letters, digits, dots, _ and -")
    return table.items()


def _key(name: str, entry: Any, where: str) -> Key:
    if not isinstance(entry, dict):
        raise BadInput(f"{where} is {type(entry).__name__}; wanted {{ secret = … }} or {{ sha256 = … }}")
    _known(entry, {"secret", "sha256", "tenant"}, where)
    secret, digest, tenant = entry.get("secret"), entry.get("sha256"), entry.get("tenant", name)
    if (secret is None) == (digest is None):
        raise BadInput(
            f"{where} has {'both' if secret else 'neither'} of secret and sha256; wanted one of them"
        )
    if not isinstance(tenant, str) or not _NAME.fullmatch(tenant):
        raise BadInput(f"{where}.tenant is {tenant!r}; wanted letters, digits, dots, _ and -")
    if secret is not None:
        if not isinstance(secret, str) or len(secret) < SHORTEST or not secret.isascii():
            raise BadInput(f"{where}.secret is too weak; wanted {SHORTEST} ASCII letters or more")
        return Key(name, tenant, hashlib.sha256(secret.encode()).digest())
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest.lower()):
        raise BadInput(f"{where}.sha256 is no SHA-256; wanted 64 hexadecimal digits")
    return Key(name, tenant, bytes.fromhex(digest))


def _allowance(entry: Any, where: str) -> Allowance:
    if not isinstance(entry, dict):
        raise BadInput(f"{where} is {type(entry).__name__}; wanted a table")
    _known(entry, {field.name for field in fields(Allowance)}, where)
    for name, value in entry.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise BadInput(f"{where}.{name} is {value!r}; wanted a whole number of 1 or more")
    return Allowance(**entry)


def _known(entry: Mapping[str, Any], known: set[str], where: str) -> None:
    if unread := sorted(set(entry) - known):
        raise BadInput(f"{where} has {unread[0][:80]}, which nobody reads; known: {', '.join(sorted(known))}")
