"""Sessions that differ in one thing alone: in a message, in TLS, in what is offered, in how they end."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pytest

from mailproxy.analysis.diff import compare
from mailproxy.model.session import Recording
from mailproxy.model.tls import Certificate, Fault, TlsFacts
from tests.analysis.test_diff import GOOD, recording, told

MAIL: Final = """smtp 25
<-  220 mail
 -> DATA
<-  354 go on
 -> Subject: a long subject that goes on
 -> MIME-Version: 1.0
 -> Content-Type: multipart/mixed; boundary=one
 ->_
 -> --one
 -> Content-Type: text/plain; charset=utf-8
 -> Content-Transfer-Encoding: quoted-printable
 ->_
 -> Gr=C3=BC=C3=9Fe
 -> --one
 -> Content-Type: application/pdf
 -> Content-Disposition: attachment; filename=a.pdf
 -> Content-Transfer-Encoding: base64
 ->_
 -> aGVsbG8gd29ybGQ=
 -> --one--
 -> .
<-  250 Ok
""".replace("_", " ")
PART: Final = "A part of the message differs."


def mail(*changes: tuple[str, str]) -> str:
    text = MAIL
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


EQUAL: Final[dict[str, list[tuple[str, str]]]] = {
    "folding": [("subject that", "subject\n ->  that")],
    "boundary": [("one", "another_1")],
    "line length of base64": [("aGVsbG8gd29ybGQ=", "aGVsbG8g\n -> d29ybGQ=")],
    "transfer encoding": [("quoted-printable", "base64"), ("Gr=C3=BC=C3=9Fe", "R3LDvMOfZQ==")],
}
UNEQUAL: Final[dict[str, tuple[list[tuple[str, str]], list[str]]]] = {
    "content of an attachment": ([("aGVsbG8gd29ybGQ=", "aGVsbG8gd29ybGE=")], [PART]),
    "name of an attachment": ([("a.pdf", "b.pdf")], [PART]),
    "text": ([("Gr=C3=BC=C3=9Fe", "Gruss")], [PART]),
    "charset": ([("charset=utf-8", "charset=iso-8859-1")], [PART]),
    "type": ([("application/pdf", "application/zip")], [PART]),
}


@pytest.mark.parametrize("what", EQUAL)
def test_what_makes_no_other_message(what: str) -> None:
    assert told(mail(), mail(*EQUAL[what])) == []
    assert told(mail(), mail(*EQUAL[what]), strict=True)


@pytest.mark.parametrize("what", UNEQUAL)
def test_what_makes_another_message(what: str) -> None:
    changes, expected = UNEQUAL[what]
    assert told(mail(), mail(*changes)) == expected


LEAF: Final = Certificate(
    "CN=mail.example.org", "CN=Example CA", ("mail.example.org",), datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2027, 1, 1, tzinfo=UTC), "EC P-256", b"leaf",
)  # fmt: skip
ABOVE: Final = replace(LEAF, subject="CN=Example CA", issuer="CN=Root", names=(), der=b"above")
FACTS: Final = TlsFacts(version="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384", chain=(LEAF, ABOVE), checked=True)


def secured(facts: TlsFacts) -> Recording:
    found = recording(GOOD)
    return replace(found, session=replace(found.session, server=replace(found.session.server, tls=facts)))


TLS: Final[dict[str, TlsFacts]] = {
    "the version": replace(FACTS, version="TLSv1.2"),
    "the cipher": replace(FACTS, cipher="TLS_CHACHA20_POLY1305_SHA256"),
    "what it is valid for": replace(FACTS, chain=(replace(LEAF, names=("mail.example.org", "x.org")), ABOVE)),
    "its issuer": replace(FACTS, chain=(replace(LEAF, issuer="CN=Other CA"), ABOVE)),
    "until when it is valid": replace(FACTS, chain=(replace(LEAF, not_after=datetime(2026, 2, 1, tzinfo=UTC)), ABOVE)),
    "the chain above it": replace(FACTS, chain=(LEAF,)),
    "what is wrong with the certificate": replace(FACTS, faults=(Fault.EXPIRED,)),
    "why it failed": replace(FACTS, trouble="unknown_ca"),
}


@pytest.mark.parametrize("what", TLS)
def test_tls_that_differs_in_one_thing(what: str) -> None:
    found = compare(secured(FACTS), secured(TLS[what]))
    assert [each.told for each in found.differences] == [f"TLS with the server: {what} differs."]
    assert found.deciding == found.differences[0]
    assert compare(secured(FACTS), secured(FACTS)).equal
