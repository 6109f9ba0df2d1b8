"""What a test needs of its machine. Where it is missing the test is skipped, in CI it fails."""

import os
import shutil
from typing import NoReturn

import pytest

# Debian keeps servers and Postfix's own programs where an ordinary user's PATH does not look.
PLACES = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/lib/postfix/sbin"))


def program(*names: str) -> str:
    """The path of the first of these programs that is there."""
    for name in names:
        if found := shutil.which(name, path=PLACES):
            return found
    missing(f"{' or '.join(names)} is not installed")


def root() -> None:
    """Postfix and Dovecot give up rights that only root has."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        missing("Postfix and Dovecot are started by root only")


def missing(reason: str) -> NoReturn:
    """Skip, or fail where skipping would hide that nothing was tested."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
