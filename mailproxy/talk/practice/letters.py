"""The messages that wait in the mailboxes at the start."""

from typing import Final

_WELCOME: Final = b"""\
From: Bob <bob@example.org>
To: Alice <alice@example.org>
Subject: Welcome
Date: Mon, 06 Jan 2025 09:00:00 +0000
Message-ID: <welcome@example.org>

Dear Alice,

this is a message like any other.

Bob
"""

_DOTS: Final = (
    """\
From: Bob <bob@example.org>
To: Alice <alice@example.org>
Subject: Dots, eight bits and a long line
Date: Mon, 06 Jan 2025 10:00:00 +0000
Message-ID: <dots@example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

The next three lines begin with a dot, and the first of them is one:
.
..
.profile
Grüße aus Köln, für 5 €.
""".encode()
    + b"A long line of 1200 octets: "
    + b"0123456789" * 117
    + b"..\nThe end.\n"
)

_LIST: Final = b"""\
From: Post Office <postmaster@example.org>
To: Alice <alice@example.org>
Subject: An attachment
Date: Mon, 06 Jan 2025 11:00:00 +0000
Message-ID: <attachment@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="part"

--part
Content-Type: text/plain

A small file comes with this message.
--part
Content-Type: application/octet-stream
Content-Disposition: attachment; filename="octets"
Content-Transfer-Encoding: base64

AAECAwQFBgcICQoLDA0ODw==
--part--
"""

LETTERS: Final = tuple(letter.replace(b"\n", b"\r\n") for letter in (_WELCOME, _DOTS, _LIST))
