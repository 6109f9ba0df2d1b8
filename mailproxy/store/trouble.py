"""What goes wrong in the store, as a person is told it: one line each."""


class StoreError(Exception):
    """The database cannot be opened, or does not hold what was asked for. Its text is one line."""


class RecordingStopped(Exception):
    """What is said can no longer be kept. Its text is one line and says why."""


class DatabaseBusy(RecordingStopped):
    """Nothing can be recorded just now, for somebody else writes to the database; it passes."""


def reason(error: BaseException) -> str:
    """The first line of what the driver or the system said."""
    text = getattr(error, "strerror", None) or str(getattr(error, "orig", None) or error)
    return next(iter(text.splitlines()), type(error).__name__)
