"""How a recorded client is played."""

from typing import Final, NamedTuple


class Acting(NamedTuple):
    """How a recorded client is played.

    Nothing is sent but with `deliver`, or to `rcpt_to` instead of the recorded recipients; nothing is deleted but with
    `delete`. With `keep_going` no refusal stops it. `timing` is None or how much faster than the recorded client it
    takes its time: 1.0 is as it was, 2.0 twice as fast. With `clear_ok` a password that went under TLS, or to a server
    whose certificate was trusted, may go in clear, or to one whose certificate is not.
    """

    deliver: bool = False
    delete: bool = False
    rcpt_to: str = ""
    keep_going: bool = False
    timing: float | None = None
    clear_ok: bool = False


SAFELY: Final = Acting()
"""As fast as replies come; nothing is delivered or deleted, and the first new refusal ends it."""
