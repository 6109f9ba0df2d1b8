"""Times in JSON."""

from datetime import UTC, datetime


def written_time(time: datetime) -> str:
    """A time in UTC as RFC 3339 has it: 2026-01-31T12:00:00.000000Z."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
