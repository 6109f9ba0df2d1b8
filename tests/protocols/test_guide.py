"""What a person at the keyboard is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailproxy.protocols.guide import GUIDES, commands, explain, slip

PROTOCOLS = ["smtp", "lmtp", "pop3", "pop2"]

# One typed line for each slip, in the order of the tables, and a piece of what is answered.
SMTP = [
    (" EHLO client.example.org", "a blank stands before"),
    ("MAIL TO:<bob@example.net>", "RCPT TO:<address> names a recipient"),
    ("rcpt from:<alice@example.org>", "MAIL FROM:<address> names the sender"),
    ("Subject: hello", "SUBJECT: is a line of a message's header"),
    ("MAIL FROM:", "the sender is missing"),
    ("RCPT", "the recipient is missing"),
    ("RCPT TO:<>", "a recipient cannot be empty"),
    ("MAIL alice@example.org", "MAIL wants MAIL FROM:<address>"),
    ("MAIL FROM :<alice@example.org>", "a blank stands before the colon"),
    ("MAIL FROM <alice@example.org>", "the colon is missing: MAIL FROM:<address>"),
    ("mail from:alice@example.org", "without angle brackets: MAIL FROM:<address>"),
    ("RCPT TO:<bob@example.net", "not closed: RCPT TO:<address>"),
    ("RCPT TO:<bob@example.net>, <eve@example.net>", "one recipient to a command"),
    ("MAIL FROM: <alice@example.org>", "a blank stands before the path"),
    ("HELO", "the name is missing: HELO client.example.org"),
    ("HELLO client.example.org", "HELLO is no command: say EHLO name"),
    ("DATA now", "DATA takes no argument"),
    ("BDAT LAST", "BDAT wants the number of octets"),
    ("AUTH", "the mechanism is missing"),
    ("AUTH PLAIN alice wonderland", "one word of base64"),
    ("START TLS", "START TLS is no SMTP command: say STARTTLS"),
    ("USER alice", "USER is a command of POP3; this is SMTP"),
    ("exit", "EXIT is no command: QUIT ends the session"),
    ("GET / HTTP/1.1", "GET is HTTP; this is SMTP"),
    (".", "only after DATA was answered with 354"),
]
POP3 = [
    (" STAT", "a blank stands before"),
    ("USER", "the name is missing"),
    ("PASS ", "the password is missing"),
    ("PASS wonderland ", "a blank at an end of the password"),
    ("USER alice wonderland", "the password follows with PASS"),
    ("LOGIN alice wonderland", "LOGIN is a command of IMAP: say USER name"),
    ("a1 LOGIN alice wonderland", "that is IMAP"),
    ("RETR", "the number of the message is missing: RETR 1"),
    ("DELE all", "DELE takes the number of one message"),
    ("TOP 1", "TOP takes a message and a number of lines"),
    ("LIST all", "LIST takes the number of one message, or nothing"),
    ("RETR 0", "counted from 1"),
    ("APOP alice", "APOP takes a name and the digest"),
    ("STAT 1", "STAT takes no argument"),
    ("STARTTLS", "STARTTLS is no POP3 command: say STLS"),
    ("GET / HTTP/1.1", "GET is HTTP; this is POP3"),
    ("DELETE 1", "DELE 1 marks message 1"),
    ("READ 1", "RETR 1 fetches message 1"),
    ("ACKD", "ACKD is a command of POP2; this is POP3"),
    ("EHLO client.example.org", "EHLO is a command of SMTP; this is POP3"),
    ("BYE", "BYE is no command: QUIT"),
    ("PASSWORD wonderland", "PASSWORD is no command: say USER name, then PASS"),
]
POP2 = [
    (" QUIT", "a blank stands before"),
    ("FOLDER old-mail", "FOLDER is no command: FOLD"),
    ("FOLD", "the mailbox is missing"),
    ("HELO alice", "HELO takes the name and the password"),
    ("HELO alice in wonderland", "a blank parts them"),
    ("PASS wonderland", "POP2 logs in with HELO name password"),
    ("READ next", "READ takes the number of one message"),
    ("RETR 1", "READ chooses the message, RETR fetches it"),
    ("ACKD 1", "ACKD takes no argument"),
    ("ACK", "ACKS keeps the message, ACKD deletes it"),
    ("NAK", "NAK is no command: NACK"),
    ("DELE 1", "ACKD after RETR deletes the message"),
    ("LIST", "LIST is a command of POP3; this is POP2"),
    ("EHLO client.example.org", "EHLO is a command of SMTP; this is POP2"),
    ("EXIT", "EXIT is no command: QUIT"),
]
TYPED = {
    "smtp": [("LHLO client.example.org", "say EHLO name in SMTP"), *SMTP],
    "lmtp": [
        ("EHLO client.example.org", "say LHLO name in LMTP"),
        *((line, told.replace("this is SMTP", "this is LMTP")) for line, told in SMTP),
    ],
    "pop3": POP3,
    "pop2": POP2,
}


@pytest.mark.parametrize(
    ("protocol", "line", "told"), [(protocol, *typed) for protocol in PROTOCOLS for typed in TYPED[protocol]]
)
def test_a_slip_is_told_in_one_line(protocol: str, line: str, told: str) -> None:
    warning = slip(protocol, line)
    assert warning is not None
    assert told in warning
    assert "\n" not in warning


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_slip_of_the_tables_is_made_above(protocol: str) -> None:
    assert len(TYPED[protocol]) == len(GUIDES[protocol].slips)
    for (pattern, _), (line, _) in zip(GUIDES[protocol].slips, TYPED[protocol], strict=True):
        assert pattern.fullmatch(line), line


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_examples_are_no_slips_and_follow_their_own_syntax(protocol: str) -> None:
    for command in commands(protocol):
        assert slip(protocol, command.example) is None
        assert slip(protocol, command.example.lower()) is None
        assert command.example.split()[0] == command.verb


@pytest.mark.parametrize(
    ("protocol", "line"),
    [
        ("smtp", "MAIL FROM:<>"),
        ("smtp", "MAIL FROM:<alice@example.org> SIZE=14233 BODY=8BITMIME"),
        ("smtp", 'RCPT TO:<"a>b"@example.net>'),
        ("smtp", "NOOP for a while"),
        ("smtp", "EHLO [192.0.2.7]"),
        ("smtp", "FOO"),
        ("pop3", "PASS two words"),
        ("pop3", "USER login"),
        ("pop3", "LIST 3"),
        ("pop2", "READ"),
        ("imap", "anything"),
    ],
)
def test_what_may_well_be_meant_is_left_alone(protocol: str, line: str) -> None:
    assert slip(protocol, line) is None


def test_an_arrow_key_in_the_line() -> None:
    assert "control character" in str(slip("smtp", "EHLO client\x1b[D"))


def test_each_protocol_has_its_commands() -> None:
    verbs = {protocol: [command.verb for command in commands(protocol)] for protocol in PROTOCOLS}
    assert verbs["smtp"][:4] == ["EHLO", "HELO", "MAIL", "RCPT"]
    assert "LHLO" in verbs["lmtp"]
    assert not {"EHLO", "HELO", "ETRN"} & set(verbs["lmtp"])
    assert verbs["pop2"] == ["HELO", "FOLD", "READ", "RETR", "ACKS", "ACKD", "NACK", "QUIT"]
    assert verbs["pop3"][-1] == "QUIT"
    assert commands("imap") == ()


@pytest.mark.parametrize(
    ("protocol", "code", "enhanced", "told"),
    [
        ("smtp", "250", "", "250: done"),
        ("smtp", "550", "5.1.1", "5.1.1: there is no such mailbox"),
        ("smtp", "554", "5.7.1", "554: the transaction failed"),
        ("smtp", "459", "", "459: the server does not let you"),
        ("smtp", "471", "", "471: not now: the same may work later"),
        ("smtp", "550", "5.7.99", "5.7.99: about security or policy"),
        ("lmtp", "452", "4.2.2", "4.2.2: the mailbox is full"),
        ("pop3", "-ERR", "IN-USE", "IN-USE: another session has the mailbox open"),
        ("pop3", "+ok", "", "+ok: yes"),
        ("pop3", "+", "", "+: the login goes on"),
        ("pop2", "=", "", "=: so many octets"),
        ("pop2", "#", "", "#: so many messages"),
    ],
)
def test_a_reply_in_plain_words(protocol: str, code: str, enhanced: str, told: str) -> None:
    assert told in explain(protocol, code, enhanced)


@pytest.mark.parametrize(
    ("protocol", "code", "enhanced"),
    [("smtp", "999", ""), ("smtp", "", ""), ("pop3", "250", "2.0.0"), ("imap", "250", ""), ("smtp", "x", "9.9.9")],
)
def test_of_the_unknown_nothing_is_told(protocol: str, code: str, enhanced: str) -> None:
    assert explain(protocol, code, enhanced) == ""


@given(st.sampled_from(PROTOCOLS), st.text(), st.text(), st.text())
def test_whatever_is_typed_or_heard(protocol: str, line: str, code: str, enhanced: str) -> None:
    assert isinstance(explain(protocol, code, enhanced), str)
    assert slip(protocol, line) is None or str(slip(protocol, line)).isprintable()


@given(st.sampled_from(PROTOCOLS), st.sampled_from(["PASS", "AUTH PLAIN", "HELO alice", "LOGIN"]), st.booleans())
def test_a_secret_is_not_repeated(protocol: str, verb: str, twice: bool) -> None:
    assert "xyzzy" not in str(slip(protocol, f"{verb} xyzzy{' xyzzy' if twice else ''}")).lower()
