"""Delete old sessions."""

from datetime import timedelta

from mailproxy.app.library import open_library
from mailproxy.store.prune import Pruned, prune


def make_room(db: str, older_than: timedelta | None, max_size: int | None) -> Pruned:
    """Delete what is older, then the oldest until the size is met. Raises StoreError."""
    engine = open_library(db)
    try:
        return prune(engine, older_than, max_size)
    finally:
        engine.dispose()
