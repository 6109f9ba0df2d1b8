"""How many files this system lets a process open: an idle session of a proxy takes two."""

import sys


def open_files() -> int:
    """Raise the limit of this process and of those it will start as far as it goes, and say how far that is."""
    if sys.platform == "win32":
        return 500
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 100_000 if hard == resource.RLIM_INFINITY else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most
