"""What was learnt of servers, as a document for programs."""

from mailproxy.app.probe.report import Report, passed
from mailproxy.formats import json_tls
from mailproxy.talk.probe import Offers, Stage

Object = dict[str, object]


def document(reports: tuple[Report, ...]) -> Object:
    """The document, of version 1."""
    return {"version": 1, "passed": passed(reports), "servers": [_server(report) for report in reports]}


def _server(report: Report) -> Object:
    return {
        "host": report.target.host,
        "port": report.target.port,
        "upstream": report.upstream,
        "at": report.at.isoformat(),
        "passed": report.passed,
        "stages": [_stage(stage) for stage in report.stages],
        "addresses": list(report.addresses),
        "address": report.address,
        "greeting": report.greeting,
        "offers": _offers(report.clear),
        "offers_under_tls": _offers(report.under_tls),
        "tls": json_tls.written(report.tls) if report.tls else None,
        "days_left": [(each.not_after - report.at).days for each in report.tls.chain] if report.tls else [],
        "session": report.session or None,
    }


def _stage(stage: Stage) -> Object:
    return {
        "stage": stage.step,
        "title": stage.title,
        "state": stage.state,
        "text": stage.text,
        "hint": stage.hint,
        "milliseconds": round(stage.took / 1000, 3),
    }


def _offers(offers: Offers | None) -> Object | None:
    return offers and {"lines": list(offers.lines), "mechanisms": list(offers.mechanisms)}
