"""What TLS told of a leg, in JSON: written and read."""

from base64 import b64encode

from mailproxy.formats.json_node import Node
from mailproxy.formats.json_time import written_time
from mailproxy.model.tls import Certificate, Fault, TlsFacts

Object = dict[str, object]


def brief(tls: TlsFacts) -> Object:
    """The object that stands for it in lists of sessions: without ciphers that were offered and octets of
    certificates, which are thousands."""
    found = written(tls)
    del found["offered_ciphers"]
    return {**found, "chain": [{k: v for k, v in _certificate(each).items() if k != "der"} for each in tls.chain]}


def written(tls: TlsFacts) -> Object:
    """The object that stands for it."""
    return {
        "version": tls.version,
        "cipher": tls.cipher,
        "group": tls.group,
        "server_name": tls.server_name,
        "alpn": tls.alpn,
        "offered": list(tls.offered),
        "offered_ciphers": list(tls.offered_ciphers),
        "offered_alpn": list(tls.offered_alpn),
        "fingerprint": tls.fingerprint,
        "chain": [_certificate(each) for each in tls.chain],
        "checked": tls.checked,
        "faults": list(tls.faults),
        "reason": tls.reason,
        "trouble": tls.trouble,
    }


def read(node: Node) -> TlsFacts:
    """What an object stands for. Raises FormatError."""
    return TlsFacts(
        version=node.get("version").text(),
        cipher=node.get("cipher").text(),
        group=node.get("group").text(),
        server_name=node.get("server_name").text(),
        alpn=node.get("alpn").text(),
        offered=_texts(node.get("offered")),
        offered_ciphers=_texts(node.get("offered_ciphers")),
        offered_alpn=_texts(node.get("offered_alpn")),
        fingerprint=node.get("fingerprint").text(),
        chain=tuple(map(_read_certificate, node.get("chain").items())),
        checked=node.get("checked").flag(),
        faults=tuple(fault.word(Fault) for fault in node.get("faults").items()),
        reason=node.get("reason").text(),
        trouble=node.get("trouble").text(),
    )


def _certificate(each: Certificate) -> Object:
    return {
        "subject": each.subject,
        "issuer": each.issuer,
        "names": list(each.names),
        "not_before": written_time(each.not_before),
        "not_after": written_time(each.not_after),
        "key": each.key,
        "sha256": each.fingerprint,
        "der": b64encode(each.der).decode(),
    }


def _read_certificate(node: Node) -> Certificate:
    return Certificate(
        subject=node.get("subject").text(),
        issuer=node.get("issuer").text(),
        names=_texts(node.get("names")),
        not_before=node.get("not_before").time(),
        not_after=node.get("not_after").time(),
        key=node.get("key").text(),
        der=node.get("der").base64(),
    )


def _texts(node: Node) -> tuple[str, ...]:
    return tuple(each.text() for each in node.items())
