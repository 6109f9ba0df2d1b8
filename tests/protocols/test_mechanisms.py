"""The mechanisms of SASL that are known by their names (RFC 4422 section 3.1)."""

import re

import pytest

from mailproxy.protocols import secrets


@pytest.mark.parametrize("name", sorted(secrets.MECHANISMS))
def test_its_name_is_one_and_is_no_secret(name: str) -> None:
    assert re.fullmatch(r"[A-Z0-9_-]{0,19}[A-Z0-9_]", name)
    found = secrets.find(f"AUTH {name} cD10bHMtdW5pcXVl\r\n".encode(), ())
    assert found is not None
    assert found.shape.startswith((f"{name}, ", f"{name} "))
    assert found.start == len(f"AUTH {name} ")


def test_each_variant_of_scram_is_known() -> None:
    digests = ("SHA-1", "SHA-256", "SHA-512")
    assert {f"SCRAM-{digest}{end}" for digest in digests for end in ("", "-PLUS")} <= secrets.MECHANISMS
