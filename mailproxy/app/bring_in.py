"""Bring recordings in from files."""

from collections.abc import Sequence

from mailproxy.app.library import FormatError, each_of_file, keep, make_library
from mailproxy.model.session import Session
from mailproxy.protocols.turn import Terms


def bring_in(db: str, files: Sequence[str], format: str, secrets: bool) -> tuple[list[Session], list[str]]:
    """Put the recordings of files into the database; returns their sessions, and a line for each file that failed.

    Raises StoreError where the database cannot be used.
    """
    engine = make_library(db)
    kept: list[Session] = []
    trouble: list[str] = []
    try:
        for name in files:
            try:
                for each in each_of_file(name, format, Terms(secrets=secrets)):
                    kept.append(keep(engine, each))
            except FormatError as error:
                trouble.append(str(error))
    finally:
        engine.dispose()
    return kept, trouble
