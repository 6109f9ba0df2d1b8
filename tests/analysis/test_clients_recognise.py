"""Which client speaks, by what clients.md and the programs' own messages tell of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailproxy.analysis.clients.recognise import recognise
from mailproxy.model.octets import Frame, Side
from mailproxy.model.session import Recording, Session
from mailproxy.protocols import reading

from .test_clients_behaviour import recording

SENDING = """
smtp 25
<-  220 mail.example.org ESMTP
 -> {hello}
<-  250-mail.example.org
<-  250 {offers}
{login}{mail}
<-  221 bye
"""
MAIL = """ -> MAIL FROM:<alice@example.org>{parameters}
<-  250 fine
 -> RCPT TO:<bob@example.net>
<-  250 fine
 -> DATA
<-  354 go on
 -> {field}
 -> Subject: Lunch
 ->
 -> Hello
 -> .
<-  250 queued
 -> QUIT"""
LOGIN = " -> AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=\n<-  235 fine\n"


def sending(hello: str = "EHLO client.example.org", login: str = "", mail: str = "") -> str:
    return SENDING.format(hello=hello, offers="PIPELINING", login=login, mail=mail or MAIL)


def with_field(field: str, parameters: str = "") -> str:
    return sending(mail=MAIL.format(field=field, parameters=parameters))


@pytest.mark.parametrize(
    ("field", "program"),
    [
        ("User-Agent: Mozilla Thunderbird", "Thunderbird"),
        ("User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:60.0) Gecko/20100101 Thunderbird/60.9.1", "Thunderbird"),
        ("X-Mailer: Microsoft Outlook 16.0", "Outlook"),
        ("X-Mailer: Apple Mail (2.3774.500.171.1.1)", "Apple Mail"),
        ("X-Mailer: iPhone Mail (21A329)", "Apple Mail"),
        ("User-Agent: Mutt/2.2.12 (2023-09-09)", "mutt"),
        ("User-Agent: NeoMutt/20220429", "mutt"),
        ("X-Mailer: swaks v20201014.0 jetmore.org/john/code/swaks/", "swaks"),
        ("X-Mailer: PHPMailer 6.8.0 (https://github.com/PHPMailer/PHPMailer)", "PHPMailer"),
        ("X-Mailer: nodemailer (2.3.0; +http://nodemailer.com/)", "nodemailer"),
        ("Message-ID: <1144.0.1700820000000.JavaMail.alice@client>", "JavaMail"),
        ("X-Mailer: something else", ""),
    ],
)
def test_a_message_says_who_wrote_it(field: str, program: str) -> None:
    assert recognise(recording(with_field(field))) == program


def test_a_relayed_message_does_not_speak_for_the_client() -> None:
    relayed = "Received: by relay.example.org; Tue, 24 Nov 2026 12:00:00 +0000\n -> User-Agent: Mozilla Thunderbird"
    assert recognise(recording(with_field(relayed))) == ""


@pytest.mark.parametrize(
    ("talk", "program"),
    [
        (
            sending("EHLO [192.0.2.7]", LOGIN, MAIL.format(field="To: bob", parameters=" BODY=8BITMIME SIZE=310")),
            "Thunderbird",
        ),
        (sending("EHLO [192.0.2.7]", LOGIN.replace("235 fine", "535 no"), " -> QUIT"), "Thunderbird"),
        (sending("EHLO [192.0.2.7]", "", MAIL.format(field="To: bob", parameters=" SIZE=310")), ""),
        (sending("ehlo client.example.org", LOGIN, " -> quit"), "Python smtplib"),
        (sending("EHLO client.example.org", LOGIN, " -> QUIT"), ""),
        (
            sending(
                "EHLO client",
                " -> AUTH LOGIN\n<-  334 VXNlcm5hbWU6\n -> YQ==\n<-  334 UGFzc3dvcmQ6\n -> Yg==\n<-  235 ok\n",
                " -> EHLO client\n<-  250 fine\n -> QUIT",
            ),
            "GNU mailutils",
        ),
        (
            sending(
                "EHLO client", " -> AUTH DIGEST-MD5\n<-  334 bm9uY2U=\n -> *\n<-  501 cancelled\n",
                " -> QUIT",
            ),
            "curl",
        ),
        (
            sending(
                "EHLO localhost", "",
                " -> MAIL FROM:<a@example.org>\n<-  250 ok\n -> RCPT TO:<b@example.org>\n -> DATA\n"
                "<-  250 ok\n<-  354 go on\n -> To: b\n ->\n -> .\n<-  250 ok\n -> QUIT",
            ),
            "msmtp",
        ),
        (
            sending(
                "EHLO mx.example.org", "", " -> MAIL FROM:<a@example.org>\n -> RCPT TO:<b@example.org>\n -> DATA\n"
                "<-  250 ok\n<-  250 ok\n<-  354 go on\n -> To: b\n ->\n -> .\n -> QUIT\n<-  250 ok",
            ),
            "Postfix",
        ),
    ],
)  # fmt: skip
def test_a_client_that_sends_is_known_by_its_habits(talk: str, program: str) -> None:
    assert recognise(recording(talk)) == program


CAPA = "CAPA\n<-  +OK\n<-  SASL PLAIN\n<-  USER\n<-  .\n -> "
AUTH = "AUTH PLAIN\n<-  + \n -> AGEAYg==\n<-  "
PASS = "USER a\n<-  +OK\n -> PASS b\n<-  +OK\n -> "
STAT = "STAT\n<-  +OK 2 80\n -> "
LIST = "LIST\n<-  +OK\n<-  1 40\n<-  2 40\n<-  .\n -> "
UIDL = LIST.replace("LIST", "UIDL")
ONE = "<-  +OK\n<-  Hello\n<-  .\n"


@pytest.mark.parametrize(
    ("asked", "program"),
    [
        (f"{CAPA}{AUTH}+OK\n -> {STAT}{LIST}{UIDL}", "Thunderbird"),
        (f"{CAPA}{AUTH}-ERR no\n -> {PASS.replace('+OK', '-ERR no')}", "Thunderbird"),
        (f"{PASS}{STAT}", ""),
        (f"{CAPA}{PASS}{STAT}LIST 1\n<-  +OK 1 40\n -> RETR 1\n{ONE} -> ", "fetchmail"),
        (f"{PASS}{UIDL}{LIST}{UIDL}{LIST}", "getmail"),
        (f"{PASS}RETR 1\n -> RETR 2\n{ONE}{ONE} -> ", "mpop"),
    ],
    ids=["thunderbird", "thunderbird-refused", "unknown", "fetchmail", "getmail", "mpop"],
)  # fmt: skip
def test_a_client_that_fetches_is_known_by_its_habits(asked: str, program: str) -> None:
    assert recognise(recording(f"pop3 110\n<-  +OK ready\n -> {asked}QUIT\n<-  +OK bye\n")) == program


@given(
    st.sampled_from(["smtp", "pop3", "pop2"]), st.lists(st.tuples(st.sampled_from(list(Side)), st.binary(max_size=99)))
)
def test_any_octets_are_of_somebody_or_nobody(protocol: str, said: list[tuple[Side, bytes]]) -> None:
    read = reading.read(protocol, [Frame(side, octets, at, 0, len(octets)) for at, (side, octets) in enumerate(said)])
    session = recording("smtp 25\n<-  220 hello\n").session
    assert isinstance(recognise(Recording(Session(1, protocol, session.started), read.entries, read.exchanges)), str)
