"""Have a Mozilla profile (Thunderbird's, Firefox's) trust the authority: NSS keeps what it trusts in cert9.db."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from mailproxy.app import ca

LIMIT: Final = 60  # seconds
BY_HAND: Final = "Settings > Privacy & Security > Manage Certificates > Authorities > Import"


class InstallError(Exception):
    """It could not be brought there; the message is one line and says what to do."""


def install(profile: Path) -> str:
    """Have a profile trust the authority; returns its name there. Raises AuthorityError and InstallError."""
    if not profile.is_dir():
        raise InstallError(f"{profile} is no folder: name a profile of Thunderbird, which holds prefs.js and cert9.db")
    if not (profile / "cert9.db").is_file():
        known = (profile / "prefs.js").is_file()
        remedy = "start Thunderbird with it once" if known else "it holds no cert9.db"
        raise InstallError(f"{profile} is no profile of Thunderbird that has been used: {remedy}")
    shown = ca.show()
    program = _program(shown.path)
    is_new = _run(program, profile, "-L", "-n", shown.name) is not None
    said = _run(program, profile, "-A", "-n", shown.name, "-t", "C,,", "-i", str(shown.path))
    if said is None:
        return shown.name
    if is_new:  # without a password it is kept, and not trusted
        _run(program, profile, "-D", "-n", shown.name)
    if "PASSWORD" in said or "password" in said:
        raise InstallError(f"{profile} has a primary password: import {shown.path} in Thunderbird, {BY_HAND}")
    raise InstallError(f"certutil could not write to {profile}: {said}")


def _program(file: Path) -> str:
    """NSS's certutil; Windows has another program of that name."""
    found = None if sys.platform == "win32" else shutil.which("certutil")
    if found is None:
        raise InstallError(
            f"certutil is not here: install it (libnss3-tools in Debian), or import {file} in Thunderbird, {BY_HAND}"
        )
    return found


def _run(program: str, profile: Path, *words: str) -> str | None:
    """Nothing where it went well, else what was said last."""
    try:
        done = subprocess.run(
            [program, *words, "-d", f"sql:{profile}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "it came to no end"
    if done.returncode == 0:
        return None
    lines = (done.stderr + done.stdout).decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), f"it ended with {done.returncode}")
