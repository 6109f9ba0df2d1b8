"""The command line as a whole: help, errors in one line, exit codes, colours."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from mailproxy.cli import main
from tests.cli.command import PROGRAM, Mailproxy, program

NAMES = [name for name, _, _ in main.COMMANDS]
HEAVY = ("trio", "sqlalchemy", "alembic", "mailproxy.store", "mailproxy.net")


def test_no_words_at_all_show_the_help(mailproxy: Mailproxy) -> None:
    shown = mailproxy()
    assert (shown.code, shown.err) == (0, "")
    assert shown.lines[0].startswith("Usage: mailproxy ")
    assert [name for name in NAMES if f"  {name} " in shown.out] == NAMES
    assert shown.lines[-1].strip() == "Begin with: mailproxy demo"


@pytest.mark.parametrize("asked", ["--help", "-h"])
@pytest.mark.parametrize("command", NAMES)
def test_every_command_has_a_help(mailproxy: Mailproxy, command: str, asked: str) -> None:
    shown = mailproxy(command, asked)
    assert (shown.code, shown.err) == (0, "")
    assert shown.lines[0].startswith(f"Usage: mailproxy {command} ")
    assert max(map(len, shown.lines)) <= 100


def commands() -> dict[str, TyperCommand]:
    """All commands by the words that call them."""
    group = get_command(main.app)
    assert isinstance(group, TyperGroup)
    found: dict[str, TyperCommand] = {}
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            found |= {f"{name} {each}": one for each, one in command.commands.items() if isinstance(one, TyperCommand)}
        elif isinstance(command, TyperCommand):
            found[name] = command
    return found


COMMANDS = commands()


def options(command: str) -> list[TyperOption]:
    """What a command takes besides its arguments, as it is registered."""
    return [each for each in COMMANDS[command].params if isinstance(each, TyperOption) and not each.hidden]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_tells_of_every_option(mailproxy: Mailproxy, command: str) -> None:
    told = mailproxy(*command.split(), "--help").out.split()
    names = [name for option in options(command) for name in option.opts]
    assert [name for name in names if name not in {word.rstrip(",") for word in told}] == []
    assert [option.name for option in options(command) if not option.help] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_no_option_takes_what_a_list_of_processes_must_not_show(command: str) -> None:
    secret = re.compile("pass|secret|token|auth|login|key")
    words = [each for each in options(command) if not each.is_flag and each.type_descriptor.annotation is not Path]
    taken = [name for option in words for name in option.opts if secret.search(name) and not name.endswith("-file")]
    assert taken == []


def test_the_help_loads_nothing_heavy() -> None:
    script = f"import sys, mailproxy.cli.main; print([each for each in {HEAVY} if each in sys.modules])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout.strip() == b"[]"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("nope", "No such command 'nope'. (see mailproxy --help)"),
        ("show", "Missing argument 'ID...'. (see mailproxy show --help)"),
        ("show last --nope", "No such option: --nope (see mailproxy show --help)"),
        ("sessions --since yesterday", "'yesterday' is no time"),
        ("sessions --limit 0", "greater than or equal to 1"),
        ("export last --format zip", "Invalid value for '--format' / '-f': 'zip' is not one of 'talk'"),
        ("prune", "say what may go"),
        ("prune --max-size much", "'much' is no size"),
        ("prune --older-than long", "'long' is no time"),
        ("record", "name a server"),
        ("record imap://mail.example.org", "is no server: write smtp://host"),
        ("record smtp://me:sesame@mail.example.org", "UPSTREAM: user name and password stay in the mail program"),
        ("record ²=smtp://mail.example.org", "'²' has no port"),
        ("record --socks here", "Invalid value for --socks: 'here' has no port"),
        ("record 0.0.0.0:2525=smtp://mail.example.org", "add --public"),
        ("record --config nowhere.toml", "nowhere.toml: No such file"),
        ("telnet nowhere:smtp", "nowhere:smtp is no HOST or HOST:PORT"),
    ],
)
def test_words_that_are_off_end_with_2(mailproxy: Mailproxy, words: str, told: str) -> None:
    ran = mailproxy(*words.split())
    assert ran.code == 2
    assert told in ran.failure


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("show last", "there is no session yet"),
        ("show last-failed", "there is no failed session yet"),
        ("show 12", "there is no session 12"),
        ("show latest", "latest names no session: a number, last, last~1, last-failed or last-failed~1 does"),
        ("show nowhere.talk", "nowhere.talk: No such file or directory"),
        ("import nowhere.talk", "nowhere.talk: No such file or directory"),
        ("sessions --db dbm://db.example.org/mail", "dbm://db.example.org/mail: SQLite and PostgreSQL are supported"),
        ("telnet 127.0.0.1:1 --no-record --protocol smtp", "127.0.0.1 port 1: connection refused"),
    ],
)
def test_what_cannot_be_done_ends_with_1(mailproxy: Mailproxy, words: str, told: str) -> None:
    ran = mailproxy(*words.split())
    assert ran.code == 1
    assert ran.err.splitlines() == [f"mailproxy: {told}"]


HARMFUL = "\x1b[31m\x9b\u202e\u2066\x07\n"
ESCAPED = r"\x1b[31m\xc2\x9b\xe2\x80\xae\xe2\x81\xa6\x07"
QUOTED = r"'\x1b[31m\x9b\u202e\u2066\x07\n'"


@pytest.mark.parametrize(
    ("words", "quoted"),
    [
        ("{}", QUOTED),
        ("show {}", ESCAPED),
        ("show {}.talk", ESCAPED),
        ("show --{}", r"No such option: --\x1b[31m\x9b"),
        ("import {}", ESCAPED),
        ("import x --format {}", QUOTED),
        ("export {}", ESCAPED),
        ("sessions --db dbm://{}", ESCAPED),
        ("sessions --since {}", QUOTED),
        ("prune --max-size {}", QUOTED),
        ("record {}", QUOTED),
        ("record --config {}", ESCAPED),
        ("telnet {} --no-record", ESCAPED),
    ],
)
def test_an_error_quotes_nothing_that_harms_a_terminal(mailproxy: Mailproxy, words: str, quoted: str) -> None:
    ran = mailproxy(*(word.format(HARMFUL) for word in words.split()))
    assert ran.code in {1, 2}
    assert quoted in ran.failure


def test_a_database_that_is_none(mailproxy: Mailproxy, tmp_path: Path) -> None:
    other = tmp_path / "letter.txt"
    other.write_text("Dear Alice,\n" * 1000)
    ran = mailproxy("sessions", "--db", str(other))
    assert ran.code == 1
    assert str(other) in ran.failure


class Broken(Exception):
    """Something that nobody thought of."""


def broken(*words: object) -> None:
    """A database that nobody thought of."""
    raise BaseExceptionGroup("in two", [ExceptionGroup("in one", [Broken("it is\n broken \x1b[31m")])])


class TestUnforeseen:
    """Errors that nobody thought of."""

    @pytest.fixture(autouse=True)
    def break_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("mailproxy.app.library.open_library", broken)

    def test_they_are_told_in_one_line(self, mailproxy: Mailproxy) -> None:
        ran = mailproxy("sessions")
        assert ran.code == 1
        assert ran.failure == r"Broken: it is broken \x1b[31m (MAILPROXY_DEBUG=1 shows where)"

    def test_they_are_told_in_full_to_who_asks(self, mailproxy: Mailproxy, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MAILPROXY_DEBUG", "1")
        with pytest.raises(BaseExceptionGroup, match="in two"):
            mailproxy("sessions")


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt(), BaseExceptionGroup("", [KeyboardInterrupt()])])
def test_an_interrupt_is_no_error(
    mailproxy: Mailproxy, monkeypatch: pytest.MonkeyPatch, interrupt: BaseException
) -> None:
    def interrupted(db: str) -> None:
        raise interrupt

    monkeypatch.setattr("mailproxy.app.library.open_library", interrupted)
    assert mailproxy("sessions") == (130, b"", "")


def test_an_error_as_a_program() -> None:
    ran = program("show", "last")
    assert (ran.code, ran.failure) == (1, "there is no session yet")


def test_a_traceback_for_who_asks() -> None:
    ran = program("show", "last", MAILPROXY_DEBUG="1")
    assert ran.code == 1
    assert ran.err.startswith("Traceback ")
    assert "there is no session yet" in ran.err.splitlines()[-1]


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe without a reader is another error there")
@pytest.mark.parametrize(("words", "code"), [("practice --help", 1), ("sessions", 1), ("demo", 0)])
def test_a_pipe_whose_reader_has_gone(words: str, code: int) -> None:
    """A command that only tells something ends; what goes on beside it goes on."""
    with subprocess.Popen([*PROGRAM, *words.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == code


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe without a reader is another error there")
@pytest.mark.parametrize("words", ["show {} --full", "show {} --hex", "show {} --json", "export {}"])
def test_a_pipe_whose_reader_has_read_enough(words: str, tmp_path: Path) -> None:
    long = tmp_path / "long.talk"
    long.write_text("smtp\n" + "<-  220 one of very many lines\n" * 10_000)
    command = [*PROGRAM, *words.format(long).split()]
    buffered = os.environ | {"PYTHONUNBUFFERED": ""}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=buffered) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() != b""
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


@pytest.mark.parametrize(
    ("encoding", "seen"),
    [("utf-8", "Grüße \N{CJK UNIFIED IDEOGRAPH-4F60}"), ("latin-1", r"Grüße \u4f60"), ("cp437", r"Grüße \u4f60")],
)
def test_an_output_that_lacks_characters(encoding: str, seen: str, tmp_path: Path) -> None:
    talk = tmp_path / "short.talk"
    talk.write_text("smtp\n<-  220 Grüße \N{CJK UNIFIED IDEOGRAPH-4F60}\n", encoding="utf-8")
    ran = program("show", str(talk), PYTHONIOENCODING=encoding)
    assert (ran.code, ran.err) == (0, "")
    assert ran.octets.decode(encoding).splitlines()[1] == f"<-  220 {seen}"


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo terminal is wanted")
@pytest.mark.parametrize(
    ("environment", "colours"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colours_on_a_terminal(environment: dict[str, str], colours: bool, tmp_path: Path) -> None:
    talk = tmp_path / "short.talk"
    talk.write_text("smtp\n<-  220 mail.example.org\n")
    assert ("\x1b[" in on_a_terminal("show", str(talk), **environment)) is colours


def test_no_colours_in_a_pipe(mailproxy: Mailproxy, tmp_path: Path) -> None:
    talk = tmp_path / "short.talk"
    talk.write_text("smtp\n<-  220 mail.example.org\n")
    assert "<-  220 mail.example.org" in mailproxy("show", str(talk)).lines


def on_a_terminal(*words: str, **environment: str) -> str:
    """What the program writes on a terminal."""
    import pty

    outer, inner = pty.openpty()
    plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with subprocess.Popen([*PROGRAM, *words], stdout=inner, env=plain | {"TERM": "xterm"} | environment) as process:
        os.close(inner)
        shown = b""
        while octets := _read(outer):
            shown += octets
    os.close(outer)
    assert process.returncode == 0
    return shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux says so once the program has gone
        return b""
