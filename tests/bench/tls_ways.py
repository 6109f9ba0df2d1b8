"""The ways to a server that speaks TLS: direct, through mailproxy, through a plain proxy; all take TLS apart."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import trustme

from .figure import DIRECT, MAILPROXY
from .process import HOST, NotReady, find, script, serving
from .ways import Way, Ways, recording

TRIO: Final = "trio.SSLStream"
CLEAR: Final = "mailproxy without TLS"


class Papers(NamedTuple):
    """Files in PEM: the root that proxies are to trust; key and certificates of the server, all on P-256."""

    root: Path
    server: Path


def papers(folder: Path) -> Papers:
    """New ones, with an issuer between root and server, as nearly all servers have."""
    made = Papers(folder / "root.pem", folder / "server.pem")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(made.root)
    leaf = authority.create_child_ca().issue_cert(HOST, "localhost")
    leaf.private_key_and_cert_chain_pem.write_to_path(made.server)
    return made


@contextmanager
def ways(clear: bool = False) -> Iterator[Ways]:
    """Open each way to a new server until the block ends; with `clear`, also mailproxy's to a server without TLS."""
    with TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as place, ExitStack() as stack:
        signed = papers(Path(place))
        port = stack.enter_context(script("tls_sink.py", str(signed.server)))
        found = Ways([Way(DIRECT, port)])
        program = find(MAILPROXY) or MAILPROXY
        try:
            route = f"smtps://{HOST}:0=smtps://{HOST}:{port}"
            found.open.append(stack.enter_context(recording(program, Path(place), route, "--trust", str(signed.root))))
            if clear:
                found.open.append(stack.enter_context(_clear(program, Path(place) / "clear")))
        except (NotReady, OSError) as trouble:
            found.troubles[MAILPROXY] = str(trouble)
        serves = serving("trio_proxy.py", str(port), str(signed.server), str(signed.root))
        found.open.append(Way(TRIO, *stack.enter_context(serves)))
        yield found


@contextmanager
def _clear(program: str, place: Path) -> Iterator[Way]:
    place.mkdir()
    with (
        script("tls_sink.py") as port,
        recording(program, place, f"0=smtp://{HOST}:{port}", name=CLEAR) as way,
    ):
        yield way
