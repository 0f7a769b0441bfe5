"""What is fetched from the web, and everything that is not."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from pathlib import Path

import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.own_web import OPEN, Web, moved, page
from omma.errors import BadAddress, Busy
from omma.serve.addresses import check_open, follow, parse
from omma.serve.fetch import Fetcher, FetchLimits

A = "http://a.example/cat.png"


def web(answer: list[bytes], ips: list[str] | None = None, **others: list[bytes]) -> Web:
    return Web({"a.example": [ips or [OPEN]]}, {OPEN: answer} | others)


def fetch(web: Web, text: str = A, limits: FetchLimits | None = None) -> bytes:
    async def run() -> bytes:
        fetcher = Fetcher(limits or FetchLimits(), resolve=web.resolve, dial=web.dial)
        try:
            return await fetcher.fetch(text)
        finally:
            fetcher.close()

    return asyncio.run(run())


REFUSED = [
    ("file:///etc/passwd", "wanted http or https"),
    ("ftp://a.example/x", "wanted http or https"),
    ("gopher://a.example/x", "wanted http or https"),
    ("HTTP://a.example/x", "wanted http or https"),
    ("//a.example/x", "wanted http:// or https://"),
    ("http:/a.example/x", "two slashes"),
    ("http://user@a.example/x", "names a user"),
    ("http://a.example:pass@b.example/x", "names a user"),
    ("http://a.example\\@b.example/x", "backslash"),
    ("http://a.example\\.b.example/x", "backslash"),
    ("http://a.example/x y", "spaces or control"),
    ("http://a.example/x\r\nHost: b", "spaces or control"),
    ("http://a.example/x\n", "spaces or control"),
    ("\thttp://a.example/x", "spaces or control"),
    ("http://a.example/\x00", "spaces or control"),
    ("http://a.example/\x7f", "spaces or control"),
    ("http://0177.0.0.1/", "four decimal numbers"),
    ("http://0x7f.0.0.1/", "four decimal numbers"),
    ("http://0x7f000001/", "four decimal numbers"),
    ("http://2130706433/", "four decimal numbers"),
    ("http://127.1/", "four decimal numbers"),
    ("http://127.0.0.1.1/", "four decimal numbers"),
    ("http://1.2.3.256/", "four decimal numbers"),
    ("http://a.example.0x1/", "four decimal numbers"),
    ("http://127.0.0.1/", "open internet"),
    ("http://0.0.0.0/", "open internet"),
    ("http://10.1.2.3/", "open internet"),
    ("http://169.254.169.254/latest/meta-data/", "open internet"),
    ("http://168.63.129.16/", "open internet"),
    ("http://100.100.100.200/", "open internet"),
    ("http://224.0.0.1/", "open internet"),
    ("http://[::1]/", "open internet"),
    ("http://[::]/", "open internet"),
    ("http://[fd00:ec2::254]/", "open internet"),
    ("http://[fe80::1]/", "open internet"),
    ("http://[2002:7f00:1::]/", "open internet"),
    ("http://[2001:0:7f00:1::]/", "open internet"),
    ("http://[2001:0:7f00:1:1:1:1:1]/", "open internet"),
    ("http://[64:ff9b::7f00:1]/", "open internet"),
    ("http://[::ffff:7f00:1]/", "open internet|one short form"),
    ("http://[::ffff:127.0.0.1]/", "IPv6"),
    ("http://[fe80::1%25eth0]/", "IPv6"),
    ("http://[0:0:0:0:0:0:0:1]/", "one short form"),
    ("http://[::1", "IPv6"),
    ("http://a.example./x", "ends in a dot"),
    ("http://A.example/x", "capital"),
    ("http://ａ.example/x", "ASCII"),
    ("http://①②⑦.⓪.⓪.①/", "ASCII"),
    ("http://a。example/x", "ASCII"),
    ("http://a.example/ü", "ASCII"),
    ("http://localhost/", "without a dot"),
    ("http://-a.example/", "name server"),
    (f"http://{'a' * 64}.example/", "name server"),
    (f"http://{'a.' * 130}example/", "name server"),
    ("http://a..example/", "host or port"),
    ("http://a.example:/", "host or port"),
    ("http://a.example:080/", "host or port"),
    ("http://a.example:٨٠/", "ASCII"),
    ("http://a.example:65616/", "wanted 1 to 65535"),
    ("http://a.example:22/", "only 80, 443"),
    ("http://", "host or port"),
    ("http:///x", "host or port"),
    ("http://a.example/#x", "part of a page"),
    ("http://a.example#@b.example/", "part of a page"),
    ("http://a.example/%zz", "%XX"),
    ("http://a.example/<x>", "%XX"),
    ("http://a.example/" + "x" * 5000, "at most 4,096"),
    ("", "wanted http:// or https://"),
]


@pytest.mark.parametrize(("text", "why"), REFUSED)
def test_a_doubtful_address_is_refused_before_anyone_is_asked(text: str, why: str) -> None:
    there = web(page())
    with pytest.raises(BadAddress, match=why):
        fetch(there, text)
    assert not there.asked
    assert not there.dialled


@given(st.text(alphabet="htps:/.a1[]@\\%#?x0 \n٨ａ-_", max_size=30).map("http://".__add__))
def test_what_is_read_is_written_the_same(text: str) -> None:
    try:
        address = parse(text)
    except BadAddress:
        return
    assert str(address) == text
    assert address.authority in text


@given(st.ip_addresses())
def test_an_open_address_is_global_and_holds_no_other(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    try:
        check_open(ip, str(ip))
    except BadAddress:
        return
    assert ip.is_global
    kinds = ("private", "loopback", "link_local", "multicast", "unspecified", "reserved")
    assert not any(getattr(ip, f"is_{kind}") for kind in kinds)
    if isinstance(ip, ipaddress.IPv6Address):
        assert ip.ipv4_mapped is None
        assert ip.sixtofour is None
        assert ip.teredo is None


def test_a_picture_of_the_web_is_fetched_from_the_checked_address() -> None:
    there = web(page(b"\x89PNG"))
    assert fetch(there, "http://a.example/cat.png?size=2") == b"\x89PNG"
    assert there.dialled == [(OPEN, 80)]
    (wire,) = there.wires
    assert wire.written.startswith(b"GET /cat.png?size=2 HTTP/1.1\r\nHost: a.example\r\n")
    assert b"cookie" not in wire.written.lower()


def test_an_address_without_a_path_asks_for_the_root() -> None:
    there = web(page())
    fetch(there, "http://a.example?x=1")
    assert there.wires[0].written.startswith(b"GET /?x=1 HTTP/1.1\r\n")


def test_a_name_of_several_addresses_is_refused_for_one_closed_among_them() -> None:
    there = web(page(), [OPEN, "10.0.0.7"])
    with pytest.raises(BadAddress, match="open internet"):
        fetch(there)
    assert not there.dialled


def test_a_name_that_changes_its_mind_is_asked_once() -> None:
    there = Web({"a.example": [[OPEN], ["127.0.0.1"]]}, {OPEN: page(b"good"), "127.0.0.1": page(b"secret")})
    assert fetch(there) == b"good"
    assert there.asked == ["a.example"]
    assert there.dialled == [(OPEN, 80)]


def test_a_redirect_to_a_changed_name_is_checked_again() -> None:
    there = Web({"a.example": [[OPEN], ["127.0.0.1"]]}, {OPEN: moved(A), "127.0.0.1": page(b"secret")})
    with pytest.raises(BadAddress, match="open internet"):
        fetch(there)
    assert there.dialled == [(OPEN, 80)]


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("http://169.254.169.254/latest/", "open internet"),
        ("http://[::1]/", "open internet"),
        ("//127.0.0.1/", "open internet"),
        ("file:///etc/passwd", "wanted http or https"),
        ("http://a.example:22/", "only 80, 443"),
        ("http://b.example/", "not known to the name servers"),
        ("http://user@a.example/", "names a user"),
        ("/\\127.0.0.1/", "backslash"),
        ("javascript:alert(1)", "wanted http or https"),
    ],
)
def test_a_redirect_is_an_address_like_the_first(location: str, why: str) -> None:
    there = web(moved(location))
    with pytest.raises(BadAddress, match=why):
        fetch(there)
    assert len(there.dialled) == 1


def test_a_ring_of_redirects_ends() -> None:
    there = web(moved("/again"))
    with pytest.raises(BadAddress, match="more than 3 times"):
        fetch(there)
    assert len(there.dialled) == 4


@pytest.mark.parametrize(
    ("location", "whole"),
    [
        ("/d", "http://a.example/d"),
        ("d", "http://a.example/b/d"),
        ("//b.example/d", "http://b.example/d"),
        ("https://b.example/d", "https://b.example/d"),
    ],
)
def test_a_redirect_may_be_short(location: str, whole: str) -> None:
    assert str(follow(parse("http://a.example/b/c?x=/y/"), location)) == whole


def test_https_does_not_lead_to_http() -> None:
    with pytest.raises(BadAddress, match="https to http"):
        fetch(web(moved(A)), "https://a.example/")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (page(b"x" * 2000), "more than 1,000 bytes"),
        (page(b"x" * 2000, content_length="", transfer_encoding="chunked"), "cannot be fetched"),
        ([*page(b"", content_length="")[:1], *[b"x" * 300] * 9], "more than 1,000 bytes"),
        (page(b"x", content_length="9" * 15), "more than 1,000 bytes"),
        (page(b"x", content_length="9" * 30), "cannot be fetched"),
        (page(b"x", content_encoding="gzip"), "compressed bodies are not opened"),
        (page(b"x", content_encoding="br, gzip"), "compressed bodies are not opened"),
        (page(b"x", content_length="50"), "cannot be fetched"),
        (page(b""), "no bytes at all"),
        (page(b"x", "404 Not Found"), "answered 404"),
        (page(b"x", "206 Partial Content"), "answered 206"),
        (page(b"", "302 Found"), "does not say where to"),
        ([b"SSH-2.0-OpenSSH_9.2\r\n"], "cannot be fetched"),
        ([b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 40_000], "cannot be fetched"),
        ([], "cannot be fetched"),
    ],
)
def test_a_bad_answer_is_one_sentence(answer: list[bytes], why: str) -> None:
    with pytest.raises(BadAddress, match=why) as told:
        fetch(web(answer), limits=FetchLimits(bytes=1000))
    assert "\n" not in str(told.value)


def test_a_host_that_never_ends_is_left_at_the_deadline() -> None:
    there = web([b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", b"x"])
    there.ends = False
    with pytest.raises(BadAddress, match=r"within 0\.05 s"):
        fetch(there, limits=FetchLimits(seconds=0.05))


def test_the_next_address_of_a_name_is_tried_where_one_is_dead() -> None:
    there = web(page(b"x"), ["93.184.216.35", OPEN])
    assert fetch(there) == b"x"
    assert there.dialled == [("93.184.216.35", 80), (OPEN, 80)]


def test_this_machines_own_open_address_is_not_fetched_from() -> None:
    there = web(page(b"secret"))
    there.here = OPEN
    with pytest.raises(BadAddress, match="this machine"):
        fetch(there)


def test_only_listed_hosts_are_fetched_from_where_there_is_a_list() -> None:
    listed = FetchLimits(hosts=frozenset({"a.example", "*.b.example"}))
    there = Web({name: [[OPEN]] for name in ("a.example", "x.b.example")}, {OPEN: page(b"x")})
    assert fetch(there, A, listed) == b"x"
    assert fetch(there, "http://x.b.example/", listed) == b"x"
    for text in ("http://b.example/", "http://x.a.example/", "http://ab.example/", "http://1.1.1.1/"):
        with pytest.raises(BadAddress, match="not among the hosts"):
            fetch(there, text, listed)


def test_too_many_at_once_is_busy() -> None:
    there = web([])
    there.ends = False

    async def run() -> None:
        fetcher = Fetcher(FetchLimits(at_once=1, waiting=1), resolve=there.resolve, dial=there.dial)
        first = [asyncio.ensure_future(fetcher.fetch(A)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await fetcher.fetch(A)
        for task in first:
            task.cancel()
        await asyncio.gather(*first, return_exceptions=True)
        there.answers[OPEN], there.ends = page(b"x"), True
        assert await fetcher.fetch(A) == b"x"
        fetcher.close()

    asyncio.run(run())


def test_a_certificate_of_another_name_is_not_accepted(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    offered, trust = _certificate("a.example", tmp_path)

    async def run(text: str) -> bytes:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"".join(page(b"x")))
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=offered)
        port = server.sockets[0].getsockname()[1]

        async def dial(ip: str, _: int, seconds: float) -> httpcore.AsyncNetworkStream:
            assert ip == OPEN
            return _Elsewhere(await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", port))

        there = Web({"a.example": [[OPEN]], "b.example": [[OPEN]]}, {})
        fetcher = Fetcher(resolve=there.resolve, dial=dial, trust=trust)
        try:
            return await fetcher.fetch(text)
        finally:
            fetcher.close()
            server.close()

    assert asyncio.run(run("https://a.example/")) == b"x"
    with pytest.raises(BadAddress, match="certificate"):
        asyncio.run(run("https://b.example/"))


class _Elsewhere(httpcore.AsyncNetworkStream):
    """A connection that does not say where it leads."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self.read, self.write, self.aclose = stream.read, stream.write, stream.aclose  # type: ignore[method-assign]
        self.start_tls = stream.start_tls  # type: ignore[method-assign]

    def get_extra_info(self, info: str) -> None:
        return None


def _certificate(name: str, folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A certificate made for a name: what its server offers, and what trusts it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "both.pem"
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    offered = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    offered.load_cert_chain(path)
    trust = ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.PEM).decode())
    return offered, trust
