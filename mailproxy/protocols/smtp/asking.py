"""The client's part of SMTP, as it is played again."""

from typing import Final

from mailproxy.protocols.asking import Asking

ASKING: Final = Asking()
