"""`python -m tests.bench`: run the benchmarks and print what they found."""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping

from . import diagnosis, memory, pop3, replay, smtp, start, table, tls
from .figure import Figure
from .limits import open_files
from .process import NotReady
from .rounds import Effort

BENCHES: Mapping[str, Callable[[Effort], Iterator[Figure]]] = {
    "sessions": smtp.sessions,
    "bulk": smtp.bulk,
    "noop": smtp.noop,
    "fetch": pop3.fetch,
    "idle": memory.idle,
    "flat": memory.flat,
    "handshakes": tls.handshakes,
    "tls-sessions": tls.sessions,
    "tls-bulk": tls.bulk,
    "verdicts": diagnosis.verdicts,
    "diffs": replay.diffs,
    "help": start.start,
}
FULL, QUICK = Effort(rounds=5, share=1), Effort(rounds=2, share=0.1)


def main() -> None:
    """Run what is asked for, a line for each figure as it is found; JSON comes at the end."""
    asked = _parser().parse_args()
    open_files()
    effort = QUICK if asked.quick else FULL
    figures: list[Figure] = []
    if not asked.json:
        print(table.heading(), flush=True)
    for name in asked.only or BENCHES:
        for figure in _found(name, effort):
            figures.append(figure)
            if not asked.json:
                print(table.markdown(figure), flush=True)
            for way, trouble in figure.troubles.items():
                print(f"{name}: {way}: {trouble}", file=sys.stderr)
    if asked.json:
        print(table.as_json(figures))


def _found(name: str, effort: Effort) -> Iterator[Figure]:
    try:
        yield from BENCHES[name](effort)
    except NotReady as trouble:
        print(f"{name}: {trouble}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.bench", description="mailproxy beside other ways to a server.")
    parser.add_argument("--only", metavar="NAME", action="append", choices=list(BENCHES), help=", ".join(BENCHES))
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, to see that it runs")
    parser.add_argument("--json", action="store_true", help="all samples, instead of the table")
    return parser


if __name__ == "__main__":
    main()
