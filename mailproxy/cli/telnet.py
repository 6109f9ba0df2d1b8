"""`mailproxy telnet`: a session typed by hand, as with telnet, and recorded."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailproxy.cli.options import Database, database

if TYPE_CHECKING:
    pass

CHUNK = 65_536  # octets


def telnet(
    host: Annotated[str, typer.Argument(metavar="HOST[:PORT]|URL", help="The server; IPv6 addresses in brackets.")],
    port: Annotated[
        int | None, typer.Argument(min=1, max=65535, help="The port, as telnet takes it.", show_default=False)
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help="smtp, lmtp, pop3 or pop2. By default the port tells, or else the greeting.", show_default=False
        ),
    ] = None,
    tls: Annotated[bool, typer.Option("--tls", help="Begin with TLS, as on the ports 465 and 995.")] = False,
    trust: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="Trust the roots in this PEM file too. May be repeated.")
    ] = None,
    no_record: Annotated[bool, typer.Option("--no-record", help="Keep nothing of it.")] = False,
    db: Database = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the session as JSON at the end, and what is said on standard error.")
    ] = False,
) -> None:
    """Talk to a mail server by hand.

    What you type is sent line by line; what the server says is shown as it comes. `?` explains the commands of the
    protocol and what the last reply means, `? VERB` one command. Common slips are pointed out, and sent all the
    same. ^] (with Enter, where the line editor wants it) leads to the orders quit, close and status. Passwords are
    masked in the record and in the history. From a pipe each line is sent once the server has answered the one before.
    Type STARTTLS or STLS, and once the server grants it mailproxy begins TLS; the certificate is judged, and you go on.

    \b
    mailproxy telnet mail.example.org 25
    mailproxy telnet pop.example.org:110
    mailproxy telnet smtps://mail.example.org
    mailproxy telnet localhost:3110 < session.txt
    """
    import trio

    from mailproxy.app.by_hand import by_hand, target
    from mailproxy.app.plan import TlsPlan, UnusableOption
    from mailproxy.app.take_out import headers
    from mailproxy.app.taking import notebook

    try:
        where = target(host, port, protocol, tls)
        roots = TlsPlan(trust=tuple(trust or ()))
        roots.try_files()
    except KeyError as error:
        raise typer.BadParameter(f"{protocol} is no protocol known here", param_hint="--protocol") from error
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="HOST") from error
    except UnusableOption as error:
        raise typer.BadParameter(str(error), param_hint=error.option) from error
    with ExitStack() as stack:
        person = stack.enter_context(_keyboard())
        person.aside = as_json
        kept = None if no_record else stack.enter_context(notebook(database(db), where))
        try:
            trio.run(by_hand, where, person, kept, roots.trust)
        finally:
            if kept and kept.trouble:
                person.warn(f"not all of it is recorded: {kept.trouble}")
            elif kept and as_json:
                typer.echo(headers([kept.session]), nl=False)
            elif kept:
                typer.echo(f"=== recorded as session {kept.session.id}: mailproxy show {kept.session.id}", err=True)


@contextmanager
def _keyboard() -> Iterator["Pipe | Terminal"]:
    """Who types. A thread that still waits for a key at the end leaves the terminal as it was."""
    if not sys.stdin.isatty():
        yield Pipe()
        return
    try:
        import termios
    except ImportError:
        yield Terminal()
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        yield Terminal()
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


class Screen:
    """What is shown; warnings go to standard error, so that a script's output is what the server said.

    With `aside` all goes there, and the output is for something else.
    """

    aside = False

    def show(self, text: str) -> None:
        """Show lines of the server, and what mailproxy was asked for."""
        self._write(text, self.aside)

    def warn(self, text: str) -> None:
        """Show a warning."""
        self._write(f"*** {text}", True)

    def remember(self, line: str) -> None:
        """Keep nothing."""

    def _write(self, text: str, error: bool) -> None:
        stream = sys.stderr if error else sys.stdout
        encoding = stream.encoding or "utf-8"
        typer.echo(text.encode(encoding, "backslashreplace").decode(encoding), err=error)


class Pipe(Screen):
    """A pipe or a file that types, and waits for each reply."""

    patient = True

    def __init__(self) -> None:
        self._octets = b""

    def read(self, prompt: str) -> bytes | None:
        """Wait for a line; its line end may be LF or CRLF. The last one needs none."""
        while b"\n" not in self._octets:
            # Not through sys.stdin: a thread that is left waiting in there keeps its lock at the end.
            more = os.read(sys.stdin.fileno(), CHUNK)
            if not more:
                break
            self._octets += more
        line, found, self._octets = self._octets.partition(b"\n")
        return line.removesuffix(b"\r") if line or found else None


class Terminal(Screen):
    """A terminal, with line editing and history where Python has readline."""

    patient = False

    def __init__(self) -> None:
        self._prompt: str | None = None
        self._readline = None
        with suppress(ImportError):
            import readline

            self._readline = readline
            readline.set_auto_history(False)
            if "libedit" not in (readline.__doc__ or ""):
                # ^] throws away what is half typed and hands itself over as the line.
                readline.parse_and_bind(r'"\C-]": "\C-a\C-k\C-v\C-]\C-m"')

    def read(self, prompt: str) -> bytes | None:
        """Wait for a line; None for end of file (Ctrl-D)."""
        self._prompt = prompt
        try:
            return input(prompt).encode(sys.stdin.encoding, sys.stdin.errors or "strict")
        except EOFError:
            return None
        finally:
            self._prompt = None

    def remember(self, line: str) -> None:
        """Let the arrow keys recall a line."""
        if line.isprintable() and line and self._readline:
            self._readline.add_history(line)

    def _write(self, text: str, error: bool) -> None:
        """Write above the line that is being typed."""
        if self._prompt is None or not self._readline:
            super()._write(text, error)
            return
        typed = self._prompt + self._readline.get_line_buffer()
        sys.stdout.write("\r\x1b[K")
        sys.stdout.flush()
        super()._write(text, error)
        sys.stdout.write(typed)
        sys.stdout.flush()
