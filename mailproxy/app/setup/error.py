"""What a user is told when an account cannot be set up."""


class SetupError(Exception):
    """No set-up; the message is one line and says what to do."""

    exit_code = 1


class WordsError(SetupError):
    """What was asked for is not understood."""

    exit_code = 2
