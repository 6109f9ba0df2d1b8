"""Settings: the database and the file."""

import pytest

from mailproxy.app.settings import shown


@pytest.mark.parametrize(
    ("db", "seen"),
    [
        ("mail.sqlite", "mail.sqlite"),
        ("postgresql://host/mail", "postgresql://host/mail"),
        ("postgresql://me:open@sesame@host/mail", "postgresql://me:***@host/mail"),
        ("postgresql://host/mail?user=me&password=sesame&x=1", "postgresql://host/mail?user=me&password=***&x=1"),
    ],
)
def test_a_password_in_a_url_is_not_shown(db: str, seen: str) -> None:
    assert shown(db) == seen
