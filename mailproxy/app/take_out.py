"""Take recordings out: as lines for a screen, as transcripts, JSON, messages or packets."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from mailproxy.formats import eml, pcap, record_json, talk
from mailproxy.model.line import Line
from mailproxy.model.octets import Frame, Note, Side
from mailproxy.model.session import Recording, Session

ROW = 16


def lines(recording: Recording, fold: bool) -> Iterator[Line]:
    """The transcript of a recording, message contents folded or whole."""
    writer = talk.Writer(fold)
    for entry in recording.entries:
        yield from writer.entry(entry)
    yield from writer.finish()


def hex_lines(recording: Recording) -> Iterator[Line]:
    """The octets of a recording in hexadecimal, frame by frame as they came."""
    writer = talk.Writer()
    for entry in recording.entries:
        match entry:
            case Frame(octets=octets) if octets:
                mark = " -> " if entry.side == "client" else "<-  "
                size = f"{entry.start:>8}  {len(octets)} octets, {entry.kind}"
                yield Line(mark, size, entry.at, entry.side)
                for at in range(0, len(octets), ROW):
                    yield Line(mark, _hex_row(at + entry.start, octets[at : at + ROW]), entry.at, entry.side)
            case Frame() | Note():
                yield from writer.entry(entry)
                yield from writer.finish()


def _hex_row(at: int, octets: bytes) -> str:
    shown = "".join(chr(octet) if 0x20 <= octet < 0x7F else "." for octet in octets)
    return f"{at:08x}  {octets.hex(' '):<{ROW * 3}} {shown}"


def headers(sessions: Sequence[Session]) -> str:
    """Sessions as JSON, without what was said."""
    return record_json.write([Recording(session) for session in sessions], entries=False)


def header_line(session: Session, verdict: Mapping[str, object] | None) -> str:
    """A session and its verdict as JSON in one line, without what was said."""
    told = {**record_json.header(session), "verdict": verdict}
    return json.dumps({"version": record_json.VERSION, "sessions": [told]})


def as_json(recordings: Iterable[Recording]) -> str:
    """Recordings as JSON, with all that is known."""
    return record_json.write(recordings)


def as_talk(recording: Recording, timing: bool = False) -> str:
    """A recording as a transcript."""
    return "\n".join(talk.write(recording, timing=timing)) + "\n"


def as_messages(recordings: Iterable[Recording]) -> dict[str, bytes]:
    """The messages that recordings carried, by file name."""
    return {message.name: message.octets for recording in recordings for message in eml.messages(recording)}


def as_pcap(recordings: Sequence[Recording], leg: Side = Side.SERVER) -> bytes:
    """The connections of recordings with their servers (or their clients) as a capture; empty where there were none."""
    if not any(pcap.carries(recording, leg) for recording in recordings):
        return b""
    return b"".join(pcap.write(recordings, leg))


def write(files: Mapping[str, str | bytes], output: Path | None) -> list[Path]:
    """Write files to standard output, to one file or into a directory; returns what was written. Raises OSError."""
    if output is None:
        for content in files.values():
            _put(_octets(content))
        sys.stdout.buffer.flush()
        return []
    if len(files) == 1 and not output.is_dir() and output.suffix:
        output.write_bytes(_octets(next(iter(files.values()))))
        return [output]
    output.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (output / name).write_bytes(_octets(content))
    return [output / name for name in files]


def _put(octets: bytes) -> None:
    """Write all to standard output, which takes a part at a time where Python was told not to buffer."""
    left = memoryview(octets)
    while left:
        left = left[sys.stdout.buffer.write(left) :]


def _octets(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
