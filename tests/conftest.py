"""What holds for every test: the user's own database is left alone, and a slow machine is no failure."""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("mailproxy", deadline=None)
settings.load_profile("mailproxy")


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The database that commands use in a test where none is named."""
    path = tmp_path / "database" / "mailproxy.sqlite"
    monkeypatch.setenv("MAILPROXY_DB", str(path))
    return path
