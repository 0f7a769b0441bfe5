"""Which addresses of the web may be fetched: one strict grammar, and networks that are open to everyone.

Nothing is repaired here. What two programs could read in two ways, one reads in none: such an address is
refused, and so what was checked is what is connected to.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TypeAlias

from omma.errors import BadAddress

IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

LONGEST = 4096
# RFC 3986, less userinfo, fragments, and everything that is not ASCII. A name's labels are of letters, digits
# and hyphens (RFC 1123) and of underscores, which storage hosts use; there is no dot at its end.
_GRAMMAR = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9a-f:]{2,45}\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<target>(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?"
    r"(?:\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?)",
    re.ASCII,
)
_AUTHORITY = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*(:[1-9][0-9]{0,4})?", re.ASCII)
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?=:)")
_PORTS = {"http": 80, "https": 443}

# What `is_global` calls open, or did in some version of Python, and is not.
_CLOSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # behind carriers; 100.100.100.200 is a cloud's metadata
        "168.63.129.16/32",  # a cloud's own services, shown to each of its machines at an open address
        "169.254.0.0/16",  # this link; 169.254.169.254 is most clouds' metadata
        "192.0.0.0/24",  # protocols; 192.0.0.192 is a cloud's metadata
        "192.88.99.0/24",  # relays of 6to4
        "198.18.0.0/15",
        "224.0.0.0/3",  # to groups, and reserved
        "2001::/23",  # protocols, Teredo and ORCHID among them: they hold other addresses
        "2001:db8::/32",
        "2002::/16",  # 6to4: holds an address of version 4
        "3fff::/20",
    )
)
# All of version 6 that was ever given out. Mapped and translated addresses of version 4 lie outside.
_GIVEN_OUT = ipaddress.ip_network("2000::/3")


@dataclass(frozen=True)
class Address:
    """An address of the web in parts. `str` gives back the text it was read from, letter by letter.

    `host` is a name or the text of an IP address, without brackets. `stated_port` is None where the text
    has none.
    """

    scheme: str
    host: str
    stated_port: int | None
    target: str

    @property
    def port(self) -> int:
        """The port to connect to."""
        return self.stated_port or _PORTS[self.scheme]

    @property
    def ip(self) -> IPAddress | None:
        """The host, where it is no name."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    @property
    def authority(self) -> str:
        """Host and port as a Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.stated_port is None else f"{host}:{self.stated_port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def parse(text: str) -> Address:
    """Read an address. Raises BadAddress naming what about it is not taken."""
    if len(text) > LONGEST:
        raise BadAddress(f"the address has {len(text):,} letters; at most {LONGEST:,} are read")
    found = _GRAMMAR.fullmatch(text)
    if found is None:
        raise BadAddress(f"{_shown(text)} is no address that is fetched: {_why(text)}")
    host, port = found["host"].strip("[]"), found["port"]
    _check_host(host, in_brackets=found["host"].startswith("["), text=text)
    if port is not None and int(port) > 65_535:
        raise BadAddress(f"{_shown(text)} has port {port}; wanted 1 to 65535")
    address = Address(found["scheme"], host, int(port) if port else None, found["target"])
    assert str(address) == text, "an address was read that is not written the same"
    return address


def follow(base: Address, location: str) -> Address:
    """Where a redirect from `base` leads: an address by the same grammar, or a path on the same host."""
    if _SCHEME.match(location):
        return parse(location)
    if location.startswith("//"):
        return parse(f"{base.scheme}:{location}")
    origin = f"{base.scheme}://{base.authority}"
    if location.startswith("/"):
        return parse(origin + location)
    folder = base.target.partition("?")[0].rpartition("/")[0]
    return parse(f"{origin}{folder}/{location}")


def check_open(ip: IPAddress, host: str) -> None:
    """Raise BadAddress unless this IP address belongs to the open internet."""
    given_out = ip.version == 4 or ip in _GIVEN_OUT
    closed = any(ip in network for network in _CLOSED if network.version == ip.version)
    if not given_out or closed or not ip.is_global or ip.is_multicast or ip.is_reserved:
        raise BadAddress(
            f"{host} is not on the open internet, so it is not fetched; send the bytes in a data: URL, "
            "or upload them to /v1/media"
        )


def _check_host(host: str, *, in_brackets: bool, text: str) -> None:
    if in_brackets:
        try:
            known = str(ipaddress.IPv6Address(host)) == host
        except ValueError:
            known = False
        if not known:
            raise BadAddress(
                f"{_shown(text)} has an IPv6 address that is not in its one short form; write it so"
            )
        return
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise BadAddress(
                f"{_shown(text)} has a host that ends in a number and is not four decimal numbers; "
                "write a name, or an address such as 93.184.216.34"
            ) from None
        return
    if len(host) > 253 or any(len(label) > 63 or "-" in (label[0], label[-1]) for label in labels):
        raise BadAddress(
            f"{_shown(text)} has a host that no name server knows; wanted a name such as a.example"
        )
    if len(labels) == 1:
        raise BadAddress(f"{_shown(text)} has a host without a dot; wanted a whole name such as a.example")


def _why(text: str) -> str:
    """The first thing that is wrong with an address, and what to do."""
    scheme = _SCHEME.match(text)
    if any(ord(letter) < 0x21 or ord(letter) == 0x7F for letter in text):
        return "it holds spaces or control characters; write them as %20 and so on"
    if not text.isascii():
        return "it is not all ASCII; write its name as xn--… and its path with %XX"
    if scheme is None:
        return "wanted http:// or https://"
    if scheme[0] not in _PORTS:
        return f"its scheme is {scheme[0]}; wanted http or https, in small letters"
    if "\\" in text:
        return "it holds a backslash; write it as %5C"
    rest = text[scheme.end() + 1 :]
    if not rest.startswith("//"):
        return "wanted two slashes after the scheme"
    authority = re.split(r"[/?#]", rest[2:], maxsplit=1)[0]
    if "@" in authority:
        return "it names a user; take that out"
    if "#" in text:
        return "it names a part of a page; take out # and what follows"
    if authority != authority.lower():
        return "its host has capital letters; write them small"
    if authority.rstrip(":0123456789").endswith("."):
        return "its host ends in a dot; take that out"
    if "[" in authority:
        return "its IPv6 address is not plain groups in brackets; take out zones and dotted numbers"
    if not _AUTHORITY.fullmatch(authority):
        return "its host or port is not understood; wanted a name such as a.example, or a.example:8080"
    return "a letter in it is not taken as it is; write it as %XX"


def _shown(text: str) -> str:
    """An address as it may stand in a message and in a log: its query, which may be a secret, is left out."""
    return repr(text.partition("?")[0][:120])
