"""A row of the table of texts."""

from typing import Final, NamedTuple

from mailproxy.model.finding import Blame, Confidence

LOGIN: Final = "AUTH USER PASS APOP RPOP"
ENVELOPE: Final = "MAIL RCPT DATA BDAT"


class Text(NamedTuple):
    """What a refusal means: where it applies, and what its words say.

    `verbs` are parted by blanks (`*` is any), `code` and `pattern` are regular expressions for the whole code and for
    a part of the text. `also` is who else it may be, `source` who says so.
    """

    name: str
    verbs: str
    code: str
    pattern: str
    blame: Blame
    also: tuple[Blame, ...]
    summary: str
    remedy: str
    source: str
    confidence: Confidence = Confidence.HIGH
