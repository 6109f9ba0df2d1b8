"""Floor 3: one file a format: recognise, read, write. `FORMATS` is the one line to add a format to."""

from collections.abc import Callable
from typing import NamedTuple

from mailproxy.formats import record_json, talk
from mailproxy.model.session import Recording


class Format(NamedTuple):
    """A format of recordings: how to know it, and how to read it from a text and the name of its source."""

    name: str
    recognise: Callable[[str], bool]
    read: Callable[[str, str], list[Recording]]


FORMATS: tuple[Format, ...] = (
    Format("json", record_json.recognise, record_json.read),
    Format("talk", talk.recognise, talk.read),
)
