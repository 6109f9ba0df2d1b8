"""Where and how a recorded server is played: as its client was secured, by whomever."""

import pytest

from mailproxy.app.library import complete
from mailproxy.app.replay.server import EditError, Manner, edit, route
from mailproxy.formats import talk
from mailproxy.model.session import Recording
from mailproxy.model.tls import Security
from mailproxy.protocols.turn import Terms

HELLO = "<-  220 ready\n -> EHLO x\n<-  250-mail.example.org\n<-  250 STARTTLS\n"
TLS = "=== TLS with the client: TLSv1.3, TLS_AES_256_GCM_SHA384\n"
QUIT = " -> QUIT\n<-  221 bye\n"


def recorded(said: str) -> Recording:
    (found,) = talk.read("smtp 25\n=== connected to mail.example.org (192.0.2.25)\n" + said)
    return complete(found, "", Terms())


@pytest.mark.parametrize("rule", ["PASS s/a/b/", "RCTP 2 550 no"])
def test_a_rule_about_a_verb_that_is_not_known_is_refused(rule: str) -> None:
    with pytest.raises(EditError, match=r"smtp knows no (PASS|RCTP): write one of .* RCPT .*, or GREETING"):
        route([recorded(HELLO + QUIT)], "", Manner(edits=(edit(rule),)), lambda line: None)


@pytest.mark.parametrize("rule", ["s/a/b/", "GREETING s/220/554/", "rcpt 1 550 no"])
def test_a_rule_that_can_hold_is_taken(rule: str) -> None:
    assert route([recorded(HELLO + QUIT)], "", Manner(edits=(edit(rule),)), lambda line: None).playing


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (HELLO + QUIT, Security.NONE),
        (HELLO + " -> STARTTLS\n<-  220 go on\n" + TLS + " ~> EHLO x\n<~  250 mail.example.org\n", Security.NONE),
        (TLS + "<~  220 ready\n ~> QUIT\n<~  221 bye\n", Security.TLS),
        (
            "<-  220 ready\n -> EHLO x\n<-  250 mail.example.org\n=== mailproxy offers the client STARTTLS\n"
            " -> STARTTLS\n<-  220 2.0.0 Ready to start TLS\n" + TLS + " ~> EHLO x\n<-  250 mail.example.org\n",
            Security.STARTTLS,
        ),
    ],
    ids=["in clear", "STARTTLS of the server", "TLS from the start", "STARTTLS of mailproxy"],
)
def test_the_client_is_secured_as_it_was(said: str, wanted: Security) -> None:
    played = route([recorded(said)], "", Manner(), lambda line: None)
    assert played.client is wanted
    assert played.server is not Security.STARTTLS  # nobody is asked for it
