"""The server's part of POP3, as it is played again."""

from typing import Final

from mailproxy.protocols.answering import Answering

ANSWERING: Final = Answering()
