"""A report of a session: what stands in it, and what never does."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailproxy.analysis.diagnose import diagnose
from mailproxy.app.library import complete, read_file
from mailproxy.app.report import Form, reports, written
from mailproxy.app.report.gather import gather, masked
from mailproxy.app.report.ladder import State
from mailproxy.app.report.names import Names
from mailproxy.app.report.page import page
from mailproxy.app.report.sheet import sheet
from mailproxy.formats.talk import read as talk
from mailproxy.model.session import Recording
from mailproxy.model.tls import Certificate, Fault, TlsFacts
from mailproxy.protocols.turn import MASKED, Terms

CORPUS: Final = sorted((Path(__file__).parents[2] / "replay").glob("*.talk"))
VOID: Final = frozenset({"meta", "br", "hr", "img", "link", "input"})

SESSION = """
# session 7, 2026-11-20T12:00:00.000000Z, client 203.0.113.40
smtp 587
   0.000 === connected to mail.acme.test (203.0.113.25)
   0.010 <-  220 mail.acme.test ESMTP, hello 203.0.113.40
   0.020  -> EHLO alices-laptop
   0.030 <-  250-mail.acme.test greets alices-laptop [203.0.113.40]
   0.030 <-  250 AUTH PLAIN
   0.031  -> AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=
   0.032 <-  235 2.7.0 Welcome, Alice
   0.040  -> MAIL FROM:<alice@acme.test>
   0.050 <-  250 2.1.0 fine
   0.060  -> RCPT TO:<Bob.Builder@sub.customer.co.uk>
   0.070 <-  250 2.1.5 fine
   0.075  -> RCPT TO:<carol@acme.test>
   0.080 <-  250 2.1.5 fine
   0.100  -> DATA
   0.110 <-  354 go on
   0.120  -> Subject: Secret merger
   0.120  -> Message-ID: <4711@alices-laptop>
   0.120  ->
   0.120  -> The plan is on the server.
   0.120  -> .
   0.130 <-  550 5.7.1 <Bob.Builder@sub.customer.co.uk>: not from [203.0.113.40]; see https://acme.test/why?id=4XyZ0abc1234Qw
   1.500  -> QUIT
   1.501 <-  221 2.0.0 bye alice@acme.test
   1.502 *** closed by the server
""".lstrip()

TELLING = ("alice", "acme", "bob", "builder", "customer", "carol", "merger", "4711", "plan", "4XyZ0abc", "203.0.113.40")


def recording(text: str, terms: Terms = MASKED) -> Recording:
    (drafted,) = talk(text)
    return complete(drafted, "", terms)


def both(about: Recording, anonymous: bool = False) -> str:
    """The page and the sheet."""
    about = masked(about)
    report = gather(about, diagnose(about), anonymous)
    return page(report) + sheet(report)


class Checked(HTMLParser):
    """A page, read strictly: its elements are closed in their order, and it asks for nothing from elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.said: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"script", "img", "link", "iframe", "object", "a"}
        assert not {name for name, _ in attrs} & {"src", "href", "style", "onclick"}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.said.append(data)


def test_the_verdict_its_proof_and_the_ladder_stand_in_it() -> None:
    about = masked(recording(SESSION))
    report = gather(about, diagnose(about))
    text = sheet(report)
    assert report.title == "SMTP session: failed at content"
    assert [rung.stage for rung in report.rungs if rung.state is State.FAILED] == ["content"]
    assert "[x] connect  [x] greeting  [-] tls  [x] hello  [x] auth  [x] mail" in text
    assert re.search(r"^>   0\.130 <-  550 5\.7\.1 <Bob\.Builder@", text, re.MULTILINE)
    assert "OpenSSL" in text


@pytest.mark.parametrize("anonymous", [False, True])
def test_no_secret_and_no_message_stand_in_it(anonymous: bool) -> None:
    """Also where the secrets were kept."""
    about = recording(SESSION, Terms(secrets=True))
    text = both(about, anonymous)
    for secret in ("wonderland", "AGFsaWNlAHdvbmRlcmxhbmQ", "merger", "The plan"):
        assert secret not in text
    assert "password 10 characters" in text
    assert "(message, 5 lines, " in text


def test_no_name_stands_in_an_anonymous_one() -> None:
    text = both(recording(SESSION), anonymous=True).lower()
    assert [name for name in TELLING if name.lower() in text] == []


def test_the_same_name_is_the_same_everywhere() -> None:
    about = masked(recording(SESSION))
    text = sheet(gather(about, diagnose(about), anonymous=True))
    (sender,) = re.findall(r"MAIL FROM:<(.*)>", text)
    user, _, domain = sender.partition("@")
    assert f"bye {sender}" in text
    assert f"PLAIN, user {user}, password" in text
    assert f"Welcome, {user}" in text
    other, third = re.findall(r"RCPT TO:<(.*)>", text)
    assert third.endswith(f"@{domain}")
    assert not other.endswith(domain)
    assert f"550 5.7.1 <{other}>" in text
    (server,) = re.findall(r"connected to (\S+) ", text)
    assert server.endswith(f".{domain}")
    assert f"220 {server} ESMTP" in text


def test_without_being_asked_names_stay() -> None:
    text = both(recording(SESSION))
    assert "Bob.Builder@sub.customer.co.uk" in text
    assert "alices-laptop" in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("connected from 127.0.0.1 and [::1], localhost", "connected from 127.0.0.1 and [::1], localhost"),
        ("EHLO [IPv6:2001:db8:7::9]", "EHLO [IPv6:2001:db8::1]"),
        ("10.1.2.3 and 10.1.2.4 and 10.1.2.3", "192.0.2.1 and 192.0.2.2 and 192.0.2.1"),
        ("at 12:34:56 with TLSv1.3, TLS_AES_256_GCM_SHA384", "at 12:34:56 with TLSv1.3, TLS_AES_256_GCM_SHA384"),
        ("a@x.org B@X.ORG a@y.org", "user1@domain1.example user2@domain1.example user1@domain2.example"),
        ("queued as 339E124A99F", "queued as id1"),
        (
            "ECDHE-RSA-AES256-GCM-SHA384 5.7.1 ENHANCEDSTATUSCODES",
            "ECDHE-RSA-AES256-GCM-SHA384 5.7.1 ENHANCEDSTATUSCODES",
        ),
    ],
)
def test_a_name(text: str, shown: str) -> None:
    assert Names().hidden(text) == shown


def test_lines_that_may_be_of_a_message_are_counted_only() -> None:
    (about,) = read_file(str(next(file for file in CORPUS if file.stem == "smtp-data-dot-not-doubled")))
    text = both(about, anonymous=True)
    assert "The end." not in text
    assert "(a line of 8 characters)" in text


def test_a_chain_tells_no_names_in_an_anonymous_one() -> None:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    own = Certificate("CN=mail.acme.test", "CN=Acme CA", ("mail.acme.test",), day, day, "RSA 2048", b"x")
    facts = TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", server_name="mail.acme.test", offered=("TLSv1.3",))
    facts = replace(facts, chain=(own,), checked=True, faults=(Fault.EXPIRED,))
    about = recording(SESSION)
    about = replace(about, session=replace(about.session, server=replace(about.session.server, tls=facts)))
    plain, hidden = both(about), both(about, anonymous=True)
    assert "CN=Acme CA" in plain
    assert own.fingerprint in plain
    assert "acme" not in hidden.lower()
    assert own.fingerprint not in hidden
    for text in (plain, hidden):
        assert "TLSv1.3, TLS_AES_256_GCM_SHA384" in text
        assert "The chain is not trusted: certificate has expired." in text


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.stem)
def test_any_session_makes_a_page_that_needs_nothing_else(file: Path) -> None:
    for about in map(masked, read_file(str(file))):
        report = gather(about, diagnose(about), anonymous=True)
        assert len([rung for rung in report.rungs if rung.state is State.FAILED]) == report.failed
        read = Checked(page(report))
        assert report.title in read.said
        for text in (page(report), sheet(report)):
            assert not re.search(r"(?i)\b(alice|bob)\b|example\.(org|com|net)", text)


LINES = st.lists(
    st.tuples(st.sampled_from([" -> ", "<-  ", " ~> ", "<~  ", "=== ", "*** ", "... ", "# "]), st.text(max_size=40)),
    max_size=8,
)


@given(LINES, st.sampled_from(["smtp", "pop3", "pop2", "lmtp"]), st.booleans())
def test_any_text_makes_a_page(lines: list[tuple[str, str]], protocol: str, anonymous: bool) -> None:
    said = "\n".join(mark + " ".join(text.split()) for mark, text in lines)
    for drafted in talk(f"{protocol} 25\n=== connected to x\n{said}\n"):
        about = masked(complete(drafted, "", MASKED))
        report = gather(about, diagnose(about), anonymous)
        Checked(page(report))
        assert all(line.isprintable() for line in sheet(report).split("\n"))


def test_files_are_written_where_it_is_said(tmp_path: Path) -> None:
    file = tmp_path / "x.talk"
    file.write_text(SESSION, encoding="utf-8")
    made = reports("", str(file), Form.BOTH)
    assert {path.name for path in written(made, str(tmp_path / "out"))} == set(made)
    names = {path.name for path in written(made, str(tmp_path / "mine.html"))}
    assert names == {"mine.html", "mine.txt"}
    (only,) = written(reports("", str(file), Form.TEXT), str(tmp_path / "mine.log"))
    assert only.name == "mine.log"
