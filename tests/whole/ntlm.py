"""Who knows NTLM for Dovecot, which asks a program of Samba's: here one of our own."""

import sys
from pathlib import Path
from typing import Final

PROGRAM: Final = """#!{python}
import base64, sys
import spnego

OWN = spnego.NegotiateOptions.use_ntlm
for line in sys.stdin:
    verb, _, told = line.strip().partition(" ")
    if verb == "YR":
        server = spnego.server(protocol="ntlm", options=OWN)
    try:
        asked = server.step(base64.b64decode(told))
    except spnego.exceptions.SpnegoError as error:
        print("NA", type(error).__name__, flush=True)
        continue
    print("TT " + base64.b64encode(asked).decode() if asked else "AF " + server.client_principal, flush=True)
"""
SETTINGS: Final = """
auth_use_winbind = yes
auth_winbind_helper_path = {root}/ntlm_auth
import_environment = $import_environment NTLM_USER_FILE={root}/ntlm_users
service auth {{
  # The Python that runs the tests may be where nobody else can look.
  user = root
}}
"""


def settings(root: Path, users: list[str], password: str) -> str:
    """What Dovecot is told of it; these users have this password."""
    (root / "ntlm_users").write_text("".join(f":{user}:{password}\n" for user in users))
    program = root / "ntlm_auth"
    program.write_text(PROGRAM.format(python=sys.executable))
    program.chmod(0o755)
    return SETTINGS.format(root=root)
