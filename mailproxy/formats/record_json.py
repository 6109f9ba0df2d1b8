"""Recordings as JSON, version 1: all that is known, for programs.

`{"version": 1, "sessions": [...]}`. Times are RFC 3339 in UTC with microseconds, `duration` and `latency` are in
seconds, octets are text with the escapes of a transcript, spans are `{"side", "start", "end"}`. An entry with
a `mark` is a note, any other a frame. `code`, `enhanced`, `text` and `latency` of an exchange repeat what
`replies` hold.
"""

from mailproxy.formats.json_read import read, recognise
from mailproxy.formats.json_write import VERSION, header, write

__all__ = ["VERSION", "header", "read", "recognise", "write"]
