"""The corpus: each session of replay/ is read, kept, written and heard alike, and comes to what its README says."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from sqlalchemy import Engine

from mailproxy.app.library import read_file
from mailproxy.app.take_out import as_json, as_talk
from mailproxy.model.exchange import Flag
from mailproxy.model.octets import Entry, Frame, Kind, Origin, Side
from mailproxy.model.session import Recording
from mailproxy.model.stream import Streams
from mailproxy.protocols.reading import RECORDED
from mailproxy.store.engine import open_database
from mailproxy.store.library import add, load
from tests.play import Script, hear, segmentations, timeless

CORPUS: Final = Path(__file__).parents[2] / "replay"
FILES: Final = sorted(CORPUS.glob("*.talk"))
ROW: Final = re.compile(r"\| `([a-z0-9-]+)` \| (.*) \| (ok|partial|failed) \| (.*) \| (.*) \| (.*) \|")

# Sessions in which something is said that is no command and no reply, as their comments tell.
UNPARSED: Final = {
    "smtp-bare-lf-refused",
    "smtp-data-dot-not-doubled",
    "smtp-http-request",
    "smtp-password-typed-as-command",
    "smtp-typed-backspace",
}

# Sessions that end before QUIT is answered.
LEFT_WITHOUT_REPLY: Final = {
    "pop3-in-use",
    "pop3-unknown-commands",
    "smtp-bare-lf-refused",
    "smtp-data-dot-not-doubled",
    "smtp-reset-at-quit-good",
    "smtp-server-shuts-down",
}


class Row(NamedTuple):
    """What README.md says about a file."""

    shows: str
    outcome: str
    partners: set[str]
    difference: str
    recorded: str


def table() -> dict[str, Row]:
    """The rows of README.md by file."""
    found = ROW.findall((CORPUS / "README.md").read_text(encoding="utf-8"))
    return {
        name: Row(shows, outcome, set(re.findall(r"`([a-z0-9-]+)`", partners)), difference, recorded)
        for name, shows, outcome, partners, difference, recorded in found
    }


ROWS: Final = table()
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def recording(path: Path) -> Recording:
    """The one session of a file."""
    (found,) = read_file(str(path))
    return found


def streams(entries: tuple[Entry, ...]) -> dict[Side, tuple[bytes, int]]:
    """All that each side said: the octets, and how many more are only counted."""
    both = Streams(entries)
    return {side: (both.octets(both.whole(side)), both.missing(both.whole(side))) for side in Side}


def said(entries: tuple[Entry, ...]) -> Script:
    """What the peers said in turn, a line at a time."""
    return [
        (frame.side, line)
        for frame in entries
        if isinstance(frame, Frame) and frame.origin is Origin.PEER and frame.kind is not Kind.OPAQUE
        for line in frame.octets.splitlines(keepends=True)
    ]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = open_database(str(tmp_path_factory.mktemp("corpus") / "corpus.sqlite"))
    yield engine
    engine.dispose()


def test_the_readme_tells_of_every_file() -> None:
    assert sorted(ROWS) == sorted(path.stem for path in FILES)


@pytest.mark.parametrize("name", ROWS)
def test_every_file_has_partners_that_know_it(name: str) -> None:
    partners = ROWS[name].partners
    assert partners
    assert all(name in ROWS[partner].partners for partner in partners)


@each_file
def test_it_begins_by_telling_what_it_is(path: Path) -> None:
    first, second, *_ = path.read_text(encoding="utf-8").splitlines()
    assert first.startswith("# ")
    assert second.startswith("# ")


@each_file
def test_it_comes_to_what_the_readme_says(path: Path) -> None:
    session = recording(path).session
    assert session.outcome.split(":")[0] == ROWS[path.stem].outcome
    assert session.failed == (ROWS[path.stem].outcome != "ok")


@each_file
def test_all_of_it_is_understood(path: Path) -> None:
    unparsed = [each for each in recording(path).exchanges if Flag.UNPARSED in each.flags]
    assert bool(unparsed) == (path.stem in UNPARSED), unparsed
    assert bool(unparsed) == ("unparsed" in ROWS[path.stem].shows)


@each_file
def test_every_quit_has_its_own_reply(path: Path) -> None:
    replies = [each.reply for each in recording(path).exchanges if each.verb == "QUIT"]
    assert {reply.code for reply in replies if reply} <= {"221", "330", "+OK", "+"}
    assert all(replies) or path.stem in LEFT_WITHOUT_REPLY


@each_file
def test_it_comes_back_from_the_database(path: Path, engine: Engine) -> None:
    read = recording(path)
    kept = load(engine, add(engine, read))
    assert kept.entries == read.entries
    assert kept.exchanges == read.exchanges
    assert (kept.session.outcome, kept.session.failed) == (read.session.outcome, read.session.failed)


@each_file
def test_it_is_the_same_when_written_and_read_again(path: Path, tmp_path: Path) -> None:
    read = recording(path)
    copy = tmp_path / "copy.talk"
    copy.write_text(as_talk(read), encoding="utf-8", errors="surrogateescape")
    again = recording(copy)
    assert streams(again.entries) == streams(read.entries)
    assert again.exchanges == read.exchanges
    assert again.session.outcome == read.session.outcome
    assert as_talk(again) == as_talk(read)


@each_file
def test_it_is_the_same_in_json(path: Path, tmp_path: Path) -> None:
    read = recording(path)
    copy = tmp_path / "copy.json"
    copy.write_text(as_json([read]), encoding="utf-8", errors="surrogateescape")
    again = recording(copy)
    assert again.entries == read.entries
    assert again.exchanges == read.exchanges


@each_file
def test_it_is_heard_alike_however_it_is_cut(path: Path) -> None:
    read = recording(path)
    script = said(read.entries)
    _, whole, _ = hear(read.session.protocol, script, RECORDED)
    for name, cut in segmentations(script):
        _, heard, _ = hear(read.session.protocol, cut, RECORDED)
        assert timeless(heard) == timeless(whole), name


@each_file
def test_its_secrets_are_masked_once_read(path: Path) -> None:
    octets = b"".join(octets for octets, _ in streams(recording(path).entries).values())
    assert b"kernel-2.2-15" not in octets
    assert not re.search(rb"(?i)^(?:PASS|APOP \S+|AUTH PLAIN) +(?!<secret: )\S", octets, re.MULTILINE)
