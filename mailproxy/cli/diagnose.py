"""`mailproxy diagnose`: what went wrong, whose it is, and what to do."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mailproxy.cli import render
from mailproxy.cli.options import Database, Json, database

if TYPE_CHECKING:
    from mailproxy.app.diagnose import Diagnosed
    from mailproxy.model.finding import Finding

FEW = 4  # lines of an exchange that stand above those of a log


def diagnose(
    ids: Annotated[
        list[str],
        typer.Argument(metavar="ID...", help="A number, last, last~1, last-failed, or the path of a file."),
    ],
    logs: Annotated[
        list[str] | None,
        typer.Option(
            "--server-log",
            metavar="FILE",
            help="The server's own log, of Postfix, Dovecot, Exim or Sendmail: what it says of the session. "
            "Several may be given, packed by gzip or not; - is standard input.",
            show_default=False,
        ),
    ] = None,
    db: Database = None,
    as_json: Json = False,
) -> None:
    """Say what went wrong in a session, whose it is, and what to do.

    The first cause counts, which is often not the last line; under it stand the lines that prove it. Where somebody
    else may be to blame as well, that is said too. The exit code tells the stage: 0 where all went well, 10 connect,
    11 greeting, 12 tls, 13 hello, 14 auth, 15 mail, 16 rcpt, 17 data, 18 content, 19 quit, 20 transaction, 21 update.

    \b
    mailproxy diagnose last
    mailproxy diagnose last-failed --json
    mailproxy diagnose refused.talk
    mailproxy diagnose last-failed --server-log /var/log/mail.log
    """
    from mailproxy.app import diagnose as use

    found = list(use.diagnosed(database(db), ids, logs or []))
    if as_json:
        render.say(use.document(found))
    else:
        for number, each in enumerate(found):
            if number:
                render.say()
            _show(each)
    if code := use.code([each.verdict for each in found]):
        raise typer.Exit(code)


def _show(found: "Diagnosed") -> None:
    from mailproxy.app.diagnose import LOGGED, proof

    session, verdict = found.recording.session, found.verdict
    name = f"session {session.id}" if session.id else render.safe(session.source)
    bad = verdict.outcome in {"failed", "partial"}
    render.say(
        f"{name}: {render.paint(verdict.outcome, 'magenta' if bad else 'cyan', bold=bad)}"
        + (f" at {verdict.stage}, {verdict.blame}" if bad else "")
    )
    for line in render.labelled("why", verdict.summary, 4) if bad else [render.safe(verdict.summary)]:
        render.say(f"  {line}")
    shown = [render.line(line) for line in proof(found.recording, verdict.evidence)]
    for text in ["", *shown, ""] if shown else []:
        render.say(f"    {text}".rstrip())
    told = [("do", verdict.remedy)] if verdict.remedy else []
    told += [("or", f"{other.blame}: {other.why}") for other in verdict.also_possible]
    for label, text in told:
        for line in render.labelled(label, text, 4):
            render.say(f"  {line}")
    if bad:
        render.say(render.paint(f"  rule {verdict.rule}, confidence {verdict.confidence}", dim=True))
    for finding in verdict.findings:
        if finding.rule not in LOGGED:
            for line in render.labelled("also", finding.summary):
                render.say(f"  {line}")
    _log(found, [finding for finding in verdict.findings if finding.rule in LOGGED])


def _log(found: "Diagnosed", findings: "Sequence[Finding]") -> None:
    """What the server's log says, each line under the exchange it belongs to."""
    from mailproxy.app.diagnose import proof

    beside: Sequence[object] = ()
    for finding in findings:
        if finding.evidence != beside:
            beside = finding.evidence
            lines = [render.line(line) for line in proof(found.recording, finding.evidence)]
            for text in lines if len(lines) <= FEW else [*lines[: FEW - 1], "..."]:
                render.say(f"    {text}")
        for line in render.labelled("log" if finding.rule == "server-log" else "=", finding.summary):
            render.say(f"  {line}")
