"""The transcript (`.talk`): the notation of screens, files, the corpus and the tests.

Marks as swaks has them: ` -> ` and `<-  ` for what was said, ` ~> ` and `<~  ` under TLS, `===` for facts,
`***` for trouble, `...` for what is missing, `#` for comments.
"""

from mailproxy.formats.talk_parts import LONGEST
from mailproxy.formats.talk_read import read, recognise
from mailproxy.formats.talk_write import Writer, text, write

__all__ = ["LONGEST", "Writer", "read", "recognise", "text", "write"]
