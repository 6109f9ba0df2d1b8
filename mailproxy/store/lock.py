"""An advisory lock on an open file, which the system gives back when the process dies."""

import os
import sys

if sys.platform == "win32":
    import msvcrt

    def lock(file: int) -> bool:
        """Lock an open file for this process and say whether that was possible; closing it gives it back."""
        # An octet far behind the end: what is locked there others cannot read.
        os.lseek(file, 1 << 30, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def lock(file: int) -> bool:
        """Lock an open file for this process and say whether that was possible; closing it gives it back."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
