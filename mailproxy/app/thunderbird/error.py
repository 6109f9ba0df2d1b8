"""What goes wrong with a Thunderbird profile."""


class ThunderbirdError(Exception):
    """A profile that cannot be read or changed; the message is one line and says what to do."""
