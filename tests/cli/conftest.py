"""What the tests of commands need."""

import pytest

from tests.cli.command import Mailproxy, in_process


@pytest.fixture
def mailproxy(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Mailproxy:
    """Run the command in this process."""
    return in_process(monkeypatch, capsysbinary)
