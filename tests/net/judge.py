"""Python's own ssl: a judge of certificates that does not know ours. Two ends of TLS, over memory."""

import ssl
from collections.abc import Sequence
from pathlib import Path


def accepts(client: ssl.SSLContext, chain: Path, host: str) -> str:
    """Whether a client takes the certificates of a file with a key, leaf first: nothing where it does, else why not."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.set_ciphers("ALL:@SECLEVEL=0")  # a server may present what is too weak for a client
    server.load_cert_chain(chain)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=host or None),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    try:
        for _ in range(6):
            for end in ends:
                try:
                    end.do_handshake()
                except ssl.SSLWantReadError:
                    continue
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    assert ends[0].version()
    return ""


def client(roots: Sequence[bytes], checks_name: bool = True) -> ssl.SSLContext:
    """A client that trusts these certificates (PEM), reads no host name out of a subject, and believes any issuer
    that it is told to trust."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = checks_name
    context.hostname_checks_common_name = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=b"".join(roots).decode("ascii"))
    return context
