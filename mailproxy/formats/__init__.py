"""Floor 3: one file a format: recognise, read, write. `FORMATS` is the one line to add a format to."""

from collections.abc import Callable
from typing import NamedTuple

from mailproxy.formats import (
    fetchmail,
    msmtp,
    phpmailer,
    python_debug,
    record_json,
    s_client,
    swaks,
    talk,
    telnet,
)
from mailproxy.model.session import Recording


class Format(NamedTuple):
    """A format of recordings: how to know it, and how to read it from a text and the name of its source."""

    name: str
    recognise: Callable[[str], bool]
    read: Callable[[str, str], list[Recording]]


# The sure ones first: what telnet leaves has no marks, so whatever has some must not come so far.
FORMATS: tuple[Format, ...] = (
    Format("json", record_json.recognise, record_json.read),
    Format("talk", talk.recognise, talk.read),
    Format("phpmailer", phpmailer.recognise, phpmailer.read),
    Format("python", python_debug.recognise, python_debug.read),
    Format("fetchmail", fetchmail.recognise, fetchmail.read),
    Format("swaks", swaks.recognise, swaks.read),
    Format("msmtp", msmtp.recognise, msmtp.read),
    Format("s_client", s_client.recognise, s_client.read),
    Format("telnet", telnet.recognise, telnet.read),
)
