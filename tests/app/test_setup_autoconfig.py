"""Autoconfig files, good and bad, read and fetched."""

import ssl
from collections.abc import Mapping
from contextlib import suppress

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from mailproxy.app.setup import autoconfig
from mailproxy.app.setup.address import Address
from mailproxy.app.setup.autoconfig import LIMIT, AutoconfigError
from mailproxy.app.setup.server import is_host
from mailproxy.net.fetch import FetchError, fetch
from tests.app.setup_world import Page, Tls, web_server

ALICE = Address("alice", "example.org")
WHOLE = b"""<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="example.org">
    <domain>example.org</domain>
    <incomingServer type="imap">
      <hostname>imap.example.org</hostname><port>993</port><socketType>SSL</socketType>
    </incomingServer>
    <incomingServer type="pop3">
      <hostname>pop.%EMAILDOMAIN%</hostname><port>995</port><socketType>SSL</socketType>
      <authentication>password-cleartext</authentication><username>%EMAILLOCALPART%</username>
    </incomingServer>
    <outgoingServer type="smtp">
      <hostname>smtp.example.org</hostname><port>587</port><socketType>STARTTLS</socketType>
      <username>%EMAILADDRESS%</username>
    </outgoingServer>
    <outgoingServer type="smtp">
      <hostname>old.example.org</hostname><port>25</port><socketType>plain</socketType>
    </outgoingServer>
  </emailProvider>
</clientConfig>
"""


def read(octets: bytes) -> list[tuple[str, str]]:
    return [(each.upstream, each.user) for each in autoconfig.read(octets, ALICE, "here")]


def test_a_file_is_read_in_its_order() -> None:
    assert read(WHOLE) == [
        ("imaps://imap.example.org:993", ""),
        ("pop3s://pop.example.org:995", "alice"),
        ("smtp+starttls://smtp.example.org:587", "alice@example.org"),
        ("smtp://old.example.org:25", ""),
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"pop.%EMAILDOMAIN%", b'pop"\nlisten = "0.0.0.0:1'),
        (b"pop.%EMAILDOMAIN%", b""),
        (b"<port>995</port>", b"<port>0</port>"),
        (b"<port>995</port>", b"<port>65536</port>"),
        (b"<port>995</port>", "<port>٩٩٥</port>".encode()),
        (b"<port>995</port><socketType>SSL", b"<port>995</port><socketType>maybe"),
        (b'<incomingServer type="pop3">', b"<incomingServer>"),
    ],
)
def test_what_is_no_server_is_left_out(old: bytes, new: bytes) -> None:
    assert old in WHOLE
    assert [upstream for upstream, _ in read(WHOLE.replace(old, new))] == [
        "imaps://imap.example.org:993",
        "smtp+starttls://smtp.example.org:587",
        "smtp://old.example.org:25",
    ]


def test_a_user_name_that_could_harm_a_settings_file_is_left_out() -> None:
    assert ("pop3s://pop.example.org:995", "") in read(
        WHOLE.replace(b"%EMAILLOCALPART%", b'alice" is root here mda "x')
    )


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (b"", "it is no XML"),
        (b"<clientConfig>", "it is no XML"),
        (b"<html/>", "it is no clientConfig"),
        (b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><clientConfig>&b;</clientConfig>', "it has a DTD"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/hostname"><clientConfig/>', "it has a DTD"),
        (b'<?xml version="1.0" encoding="nonsense"?><clientConfig/>', "it is no XML"),
        (b" " * LIMIT + b"<clientConfig/>", "it is larger than 256 KiB"),
    ],
)
def test_what_is_no_file_is_told(octets: bytes, told: str) -> None:
    with pytest.raises(AutoconfigError, match=told):
        read(octets)


def test_a_file_without_a_provider() -> None:
    assert read(b"<clientConfig/>") == []


@given(st.binary() | st.binary().map(lambda octets: WHOLE[:400] + octets + WHOLE[400:]))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    with suppress(AutoconfigError):
        for server in autoconfig.read(octets, ALICE, "here"):
            assert is_host(server.host)


def test_where_an_address_is_looked_for() -> None:
    assert list(autoconfig.urls(Address("a+b/c", "example.org"))) == [
        "https://autoconfig.example.org/mail/config-v1.1.xml?emailaddress=a%2Bb%2Fc@example.org",
        "https://example.org/.well-known/autoconfig/mail/config-v1.1.xml",
        "http://autoconfig.example.org/mail/config-v1.1.xml?emailaddress=a%2Bb%2Fc@example.org",
    ]


def fetched(pages: Mapping[str, Page], path: str = "/", tls: Tls | None = None, trust: Tls | None = None) -> bytes:
    with web_server(pages, tls.server if tls else None) as port:
        url = f"{'https' if tls else 'http'}://localhost:{port}{path}"
        return trio.run(fetch, url, LIMIT, trust.client if trust else None)


def test_a_page_is_fetched_in_clear_and_under_tls() -> None:
    tls = Tls("localhost")
    assert fetched({"/a?b=c@d": (200, {}, WHOLE)}, "/a?b=c@d") == WHOLE
    assert fetched({"/": (200, {}, WHOLE)}, tls=tls, trust=tls) == WHOLE


def test_a_certificate_that_is_not_trusted_ends_it() -> None:
    with pytest.raises(FetchError, match="its certificate is not trusted: "):
        fetched({"/": (200, {}, WHOLE)}, tls=Tls("localhost"))
    wrong = Tls("elsewhere.example.org")
    with pytest.raises(FetchError, match="its certificate is not trusted: Hostname mismatch"):
        fetched({"/": (200, {}, WHOLE)}, tls=wrong, trust=wrong)


def test_a_redirect_leads_on_and_to_no_file() -> None:
    assert fetched({"/": (302, {"Location": "/new"}, b""), "/new": (200, {}, WHOLE)}) == WHOLE
    for where in ("file:///etc/hostname", "ftp://127.0.0.1/x", "data:,x"):
        with pytest.raises(FetchError):
            fetched({"/": (302, {"Location": where}, b"")})
    with pytest.raises(FetchError, match="answers 302"):
        fetched({"/": (302, {"Location": "/"}, b"")})


@pytest.mark.parametrize(("code", "told"), [(404, "^$"), (410, "^$"), (500, "the server answers 500")])
def test_no_page(code: int, told: str) -> None:
    with pytest.raises(FetchError, match=told):
        fetched({"/": (code, {}, b"")})


def test_no_more_is_read_than_a_file_may_have() -> None:
    assert len(fetched({"/": (200, {}, b"x" * (LIMIT * 2))})) == LIMIT + 1


def test_no_server_is_no_trouble() -> None:
    with web_server({}) as port:
        pass
    with pytest.raises(FetchError, match=r"^$"):
        trio.run(fetch, f"http://127.0.0.1:{port}/", LIMIT)


def test_a_server_that_says_nothing_is_left() -> None:
    async def run() -> None:
        [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
        async with listener:
            port = listener.socket.getsockname()[1]
            with pytest.raises(FetchError, match="no answer in time"):
                await fetch(f"http://127.0.0.1:{port}/", LIMIT, None, 0.05)

    trio.run(run)


def test_no_tls_is_told_too() -> None:
    with web_server({}) as port, pytest.raises(FetchError, match=r"SSL|TLS|version"):
        trio.run(fetch, f"https://localhost:{port}/", LIMIT, ssl.create_default_context())
