"""Clients that had trouble with TLS speak again, to a real Postfix, which says in its log what it made of them."""

from pathlib import Path

import pytest

from .certificate import Certificates
from .played import CORPUS
from .proxy import until
from .replaying import Ended, command
from .servers import Servers, named


class Again:
    """Plays clients of the corpus to Postfix."""

    def __init__(self, servers: Servers, certificates: Certificates, folder: Path) -> None:
        self._postfix = servers.postfix
        self._trust = ("--trust", str(certificates.root))
        self._folder = folder

    def play(self, name: str, scheme: str) -> Ended:
        """Play the client of a session."""
        at = named(self._postfix.smtps if scheme == "smtps" else self._postfix.smtp)
        words = ("replay", "client", str(CORPUS / f"{name}.talk"), f"{scheme}://{at}", *self._trust)
        return command(self._folder, *words)

    def shown(self, played: Ended) -> str:
        """What was said, as `show` has it."""
        return command(self._folder, "show", played.session).out


def refusals(servers: Servers) -> int:
    """How often Postfix was refused for a certificate of unknown origin."""
    return sum(
        "tlsv1 alert unknown ca" in line and "SSL alert number 48" in line for line in servers.postfix.daemon.log
    )


@pytest.fixture
def again(servers: Servers, certificates: Certificates, tmp_path: Path) -> Again:
    return Again(servers, certificates, tmp_path)


@pytest.mark.parametrize("name", ["smtp-tls-unknown-ca", "smtp-tls-self-signed"])
def test_a_client_refuses_tls_with_its_own_alert(name: str, again: Again, servers: Servers) -> None:
    before = refusals(servers)
    played = again.play(name, "smtps")
    assert "*** TLS failed with the client: alert unknown_ca from the client" in again.shown(played)
    assert "nothing differs" in played.out, played.out
    until(lambda: refusals(servers) == before + 1)


def test_a_command_in_the_same_write_as_starttls_goes_nowhere(again: Again) -> None:
    played = again.play("smtp-starttls-stray", "smtp")
    assert "*** dropped 33 octets of the client behind STARTTLS: MAIL FROM:<mallory@example.org>" in again.shown(played)
    assert " ~> MAIL FROM:<bob@example.org>\n<~  250 2.1.0 Ok\n" in again.shown(played)


def test_a_client_begins_with_tls_at_a_port_in_clear(again: Again) -> None:
    shown = again.shown(again.play("smtp-tls-without-starttls", "smtp"))
    assert "=== 517 octets of the client, not in clear\n" in shown
    assert "<-  500 5.5.2 Error: " in shown
    assert "*** reset by the client" in shown


def test_a_client_whose_words_under_tls_are_not_known_shakes_hands_and_leaves(again: Again) -> None:
    played = again.play("smtp-starttls-good", "smtp")
    assert "=== TLS with the server: TLSv1.3" in again.shown(played)
    assert " ~> QUIT\n<~  221 2.0.0 Bye\n" in again.shown(played)
    assert "what was said under TLS is not in the record" in played.out + played.err
