"""`mailproxy replay client`: a recorded client speaks again to a server."""

import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mailproxy.cli import render
from mailproxy.cli.options import Database, Json, TlsMin, Trust, database
from mailproxy.cli.pace import pace

if TYPE_CHECKING:
    from mailproxy.app.replay.client import Played, Tally


TOLD: Final = 5
"""So many different remarks on a tally are shown."""


def client(
    id: Annotated[str, typer.Argument(metavar="ID", help="A number, last, last-failed, or the path of a file.")],
    upstream: Annotated[
        str | None,
        typer.Argument(
            metavar="UPSTREAM", help="The server, as in record. [default: the one of the session]", show_default=False
        ),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Log in with this name. The password (of XOAUTH2 and OAUTHBEARER, the token) is that of "
            "MAILPROXY_PASSWORD, of the keyring, or asked for. [default: the recorded one]",
            show_default=False,
        ),
    ] = None,
    deliver: Annotated[bool, typer.Option("--deliver", help="Send messages, to those whom they were sent to.")] = False,
    rcpt_to: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Send messages to this address, and to nobody else.", show_default=False),
    ] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Delete messages from the mailbox.")] = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Go on where a command is refused that was not.")
    ] = False,
    timing: Annotated[
        str, typer.Option(metavar="none|real|2x", help="The client's pauses: none, as they were, or faster.")
    ] = "none",
    times: Annotated[
        int, typer.Option(metavar="N", min=1, max=10_000, help="Play it so many times, and count what comes of it.")
    ] = 1,
    parallel: Annotated[int, typer.Option(metavar="N", min=1, max=100, help="So many at once.")] = 1,
    insecure_login: Annotated[
        bool,
        typer.Option(
            "--insecure-login", help="Log in also in clear where it was under TLS, and at servers not trusted."
        ),
    ] = False,
    trust: Trust = None,
    tls_min: TlsMin = None,
    db: Database = None,
    as_json: Json = False,
) -> None:
    """Play the client of a session to a server, and compare what comes of it.

    It says what was said, waits where it waited, and takes decisions as a client does: what is refused that was
    granted ends it. Logins, challenges and message numbers are computed anew. Nothing is delivered and nothing deleted
    unless --deliver, --rcpt-to or --delete say so: in the place of a message it says RSET, and before it leaves a
    mailbox too. The new session is recorded. The exit code is 0 where it went as recorded, 1 where it differs.

    \b
    mailproxy replay client last-failed
    mailproxy replay client last-failed smtp+starttls://mail.example.org --user alice@example.org
    mailproxy replay client 12 smtp://127.0.0.1:2525 --times 20 --parallel 4
    """
    import trio

    from mailproxy.app.library import recordings
    from mailproxy.app.replay import client as play
    from mailproxy.app.routes import RouteError
    from mailproxy.app.settings import shown

    where = database(db)
    [recording, *_] = recordings(where, [id])
    try:
        target = play.target(recording, upstream)
    except RouteError as error:
        raise typer.BadParameter(str(error), param_hint="UPSTREAM") from error
    acting = play.Acting(deliver, delete, rcpt_to or "", keep_going, pace(timing, "--timing"), insecure_login)
    try:
        login = play.login(recording, user, _ask)
        wish = play.Wish(target, acting, login, times, parallel, tuple(trust or ()), tls_min.value if tls_min else "")
        tally = trio.run(play.play, recording, wish, where, _progress(times))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--rcpt-to" if rcpt_to else "--user") from error
    if as_json:
        render.say(play.document(tally))
    else:
        _show(tally, times, "" if where == database(None) else f" --db {shown(where)}")
    if tally.stopped:
        raise typer.Exit(130)
    if not tally.equal:
        raise typer.Exit(1)


def _progress(times: int) -> Callable[[int], None]:
    """Tell on a terminal how many times are over."""

    def tell(number: int) -> None:
        if times > 1 and sys.stderr.isatty():
            end = "\n" if number == times else ""
            sys.stderr.write(f"\rplayed {number} of {times}{end}")
            sys.stderr.flush()

    return tell


def _show(tally: "Tally", times: int, elsewhere: str) -> None:
    from mailproxy.app.diff import Compared
    from mailproxy.app.diff_names import THEN_AND_NOW
    from mailproxy.cli import render_diff

    if times == 1 and tally.each:
        [played] = tally.each
        _show_one(played)
        render.say()
        render_diff.comparison(Compared(played.comparison), False, True, THEN_AND_NOW)
        return
    _show_heading(tally, times)
    for outcome, count in tally.outcomes:
        alike = [played for played in tally.each if played.session.outcome == outcome]
        numbers = ", ".join(str(played.session.id) for played in alike[:5])
        more = "" if len(alike) <= 5 else ", …"
        render.say(f"  {count:>5}  {render.outcome(alike[0].session)}   (sessions {numbers}{more})")
    remarks = [remark for played in tally.each for remark in played.remarks]
    stops = [played.stopped for played in tally.each if played.stopped]
    if remarks or stops:
        render.say()
    _counted("note", remarks)
    _counted("stop", stops)
    bad = next((played for played in tally.each if not played.equal), None)
    if bad:
        good = bad.comparison.good.session
        name = good.id or shlex.quote(render.safe(good.source)) or "GOOD"
        render.say(f"\nmailproxy diff {name} {bad.session.id}{elsewhere}")


def _show_heading(tally: "Tally", times: int) -> None:
    """How often it was played, and what was cut off."""
    if not tally.stopped:
        return render.say(f"played {len(tally.each)} times:\n")
    if times > 1 and sys.stderr.isatty():
        sys.stderr.write("\n")
    render.say(f"stopped when {len(tally.each)} of {times} times were over{':' if tally.each else ''}\n")
    if tally.cut_off:
        render.say(f"  {len(tally.cut_off):>5}  cut off   (sessions {', '.join(map(str, tally.cut_off))})")


def _counted(label: str, told: Iterable[str]) -> None:
    """What was told of the single times, the most frequent first."""
    counts = Counter(told).most_common()
    for text, times in counts[:TOLD]:
        for line in render.labelled(label, f"{text} ({times} {'times' if times > 1 else 'time'})"):
            render.say(f"  {line}")
    if len(counts) > TOLD:
        render.say(f"        … and {len(counts) - TOLD} more")


def _show_one(played: "Played") -> None:
    session = played.session
    render.say(f"session {session.id} plays the {render.safe(session.replays)}: {render.outcome(session)}")
    for remark in played.remarks:
        for line in render.labelled("note", remark):
            render.say(f"  {line}")
    if played.stopped:
        for line in render.labelled("stop", played.stopped):
            render.say(f"  {line}")


def _ask(user: str) -> str:
    if not sys.stdin.isatty():
        return ""
    import getpass

    return getpass.getpass(f"Password of {render.harmless(user)}: ", sys.stderr)
