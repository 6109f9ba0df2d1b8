"""Whether a server's certificate is trusted: our judgement beside that of Python's own ssl."""

import ipaddress
import ssl
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import ObjectIdentifier, UnrecognizedExtension
from hypothesis import given
from hypothesis import strategies as st

from mailproxy.model.tls import Fault
from mailproxy.net.certificates import EPOCH, certificate
from mailproxy.net.names import covers
from mailproxy.net.trust import Judgement, Trust, TrustError
from tests.net.forge import CLIENT_ONLY, DAY, HOST, SERVER, Forged, forge, usage
from tests.net.judge import accepts, client
from tests.whole import need

NOW = datetime.now(UTC)
ROOT = forge(subject="a root", ca=True, ends=10 * DAY)
STRANGER = forge(subject="a stranger", ca=True)
MIDDLE = forge(subject="a middle", ca=True, by=ROOT)
OLD_MIDDLE = forge(subject="an old middle", ca=True, by=ROOT, ends=-DAY / 2)
CLIENT_MIDDLE = forge(subject="a middle for clients", ca=True, by=ROOT, more=[CLIENT_ONLY])
NO_CA = forge(subject="no authority", by=ROOT)
SHORT = forge(subject="a short one", ca=True, by=ROOT, path_length=0)
BENEATH = forge(subject="beneath the short one", ca=True, by=SHORT)
NARROW = forge(
    subject="a narrow one",
    ca=True,
    by=ROOT,
    more=[x509.NameConstraints([x509.DNSName("example.net")], None)],
    critical=True,
)
OF_OLD = forge(HOST, subject="a server that is trusted as it is")
WEAK = rsa.generate_private_key(65537, 1024)
UNKNOWN = UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")


class Case(NamedTuple):
    """What a server presents, leaf first, the host that is called, and what is wrong."""

    chain: Sequence[Forged]
    faults: tuple[Fault, ...] = ()
    host: str = HOST


def _impostor() -> Forged:
    """Issued by somebody who calls himself as the root does."""
    return forge(HOST, by=forge(subject="a root", ca=True))


@cache
def cases() -> dict[str, Case]:
    """What servers present."""
    expired, early, wrong = Fault.EXPIRED, Fault.NOT_YET_VALID, Fault.WRONG_NAME
    unknown, self_signed, other = Fault.UNKNOWN_ISSUER, Fault.SELF_SIGNED, Fault.OTHER
    leaf = forge(HOST, by=MIDDLE)
    return {
        "good": Case([forge(HOST, by=ROOT)]),
        "good, for servers by its extensions": Case(
            [forge(HOST, by=ROOT, more=[SERVER, usage(signs_certificates=False)])]
        ),
        "good, without a host": Case([forge("elsewhere.example.net", by=ROOT)], host=""),
        "good, with its intermediate": Case([leaf, MIDDLE]),
        "good, out of order and with its root": Case([leaf, ROOT, STRANGER, MIDDLE]),
        "good, with an address": Case([forge("192.0.2.1", by=ROOT)], host="192.0.2.1"),
        "good, with an address of IPv6": Case([forge("2001:db8::1", by=ROOT)], host="2001:db8:0::1"),
        "good, by a wildcard": Case([forge("*.example.org", by=ROOT)]),
        "good, whatever its case": Case([forge("MAIL.Example.ORG", by=ROOT)]),
        "good, in IDNA": Case([forge("xn--bcher-kva.example.org", by=ROOT)], host="bücher.example.org"),
        "good, by a wildcard, in IDNA": Case([forge("*.example.org", by=ROOT)], host="bücher.example.org"),
        "good, signed by itself and trusted": Case([OF_OLD]),
        "intermediate missing": Case([leaf], (unknown,)),
        "expired": Case([forge(HOST, by=ROOT, ends=-DAY / 2)], (expired,)),
        "not yet valid": Case([forge(HOST, by=ROOT, begins=DAY / 2)], (early,)),
        "expired intermediate": Case([forge(HOST, by=OLD_MIDDLE), OLD_MIDDLE], (expired,)),
        "expired, and of a wrong name": Case([forge("a.example", by=ROOT, ends=-DAY / 2)], (expired, wrong)),
        "expired, and of an unknown issuer": Case([forge(HOST, by=STRANGER, ends=-DAY / 2)], (expired, unknown)),
        "expired, signed by itself": Case([forge(HOST, ends=-DAY / 2)], (expired, self_signed)),
        "not yet valid, unknown, of a wrong name": Case(
            [forge("a.example", by=STRANGER, begins=DAY / 2)], (early, unknown, wrong)
        ),
        "expired and for clients": Case([forge(HOST, by=ROOT, ends=-DAY / 2, more=[CLIENT_ONLY])], (expired, other)),
        "wrong name": Case([forge("elsewhere.example.net", by=ROOT)], (wrong,)),
        "a name in the subject only": Case([forge(by=ROOT, subject=HOST)], (wrong,)),
        "a wildcard for one label only": Case([forge("*.example.org", by=ROOT)], (wrong,), "a.mail.example.org"),
        "a wildcard for some label": Case([forge("*.example.org", by=ROOT)], (wrong,), "example.org"),
        "a wildcard in a label": Case([forge("m*.example.org", by=ROOT)], (wrong,)),
        "a wildcard in the middle": Case([forge("mail.*.org", by=ROOT)], (wrong,)),
        "a wildcard for all": Case([forge("*.org", by=ROOT)], (wrong,), "example.org"),
        "an address as a name": Case([forge(b"192.0.2.1", by=ROOT)], (wrong,), "192.0.2.1"),
        "another address": Case([forge("192.0.2.1", by=ROOT)], (wrong,), "192.0.2.2"),
        "a name that only begins so": Case([forge(f"{HOST}\0.evil.example", by=ROOT)], (wrong,)),
        "signed by itself": Case([forge(HOST)], (self_signed,)),
        "signed by itself, of a wrong name": Case([forge("a.example")], (self_signed, wrong)),
        "unknown issuer": Case([forge(HOST, by=STRANGER)], (unknown,)),
        "unknown issuer, presented too": Case([forge(HOST, by=STRANGER), STRANGER], (unknown,)),
        "an impostor's": Case([_impostor()], (unknown,)),
        "for clients only": Case([forge(HOST, by=ROOT, more=[CLIENT_ONLY])], (other,)),
        "for certificates only": Case([forge(HOST, by=ROOT, more=[usage(signs_certificates=True)])], (other,)),
        "an issuer for clients": Case([forge(HOST, by=CLIENT_MIDDLE), CLIENT_MIDDLE], (other,)),
        "an issuer that is no authority": Case([forge(HOST, by=NO_CA), NO_CA], (other,)),
        "an issuer too many": Case([forge(HOST, by=BENEATH), BENEATH, SHORT], (other,)),
        "a name that its issuer may not give": Case([forge(HOST, by=NARROW), NARROW], (other,)),
        "a critical extension that nobody knows": Case([forge(HOST, by=ROOT, more=[UNKNOWN], critical=True)], (other,)),
        "a key that is too short": Case([forge(HOST, by=ROOT, key=WEAK)], (other,)),
    }


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What both judges trust."""
    path = tmp_path_factory.mktemp("trust") / "roots.pem"
    path.write_bytes(b"What to trust\n" + ROOT.pem + b"and\n" + OF_OLD.pem)
    return path


@pytest.fixture(scope="module")
def trust(trusted: Path) -> Trust:
    """Ours."""
    return Trust((trusted,))


@pytest.mark.parametrize("name", cases())
def test_both_judges_are_of_one_mind(name: str, trust: Trust, tmp_path: Path) -> None:
    case = cases()[name]
    ours = trust.judge([each.der for each in case.chain], case.host, NOW)
    (tmp_path / "chain.pem").write_bytes(case.chain[0].key_pem + b"".join(each.pem for each in case.chain))
    theirs = accepts(client([ROOT.pem, OF_OLD.pem], bool(case.host)), tmp_path / "chain.pem", case.host)
    assert ours.faults == case.faults
    assert bool(ours.faults) == bool(theirs), theirs
    assert bool(ours.faults) == bool(ours.reason)


def test_a_digest_that_is_too_weak(trust: Trust, tmp_path: Path) -> None:
    """Made by openssl: the cryptography library signs with no SHA-1 any more."""
    chain, made, root = (tmp_path / f"{name}.pem" for name in ("chain", "made", "root"))
    root.write_bytes(ROOT.key_pem + ROOT.pem)
    command = [
        *(need.program("openssl"), "req", "-x509", "-sha1", "-subj", "/CN=a server", "-days", "1", "-nodes"),
        *("-addext", f"subjectAltName=DNS:{HOST}", "-CA", str(root), "-CAkey", str(root)),
        *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout", str(chain), "-out", str(made)),
    ]
    subprocess.run(command, check=True, capture_output=True)
    leaf = made.read_text("ascii")
    chain.write_text(chain.read_text("ascii") + leaf, "ascii")
    weak = Judgement((Fault.OTHER,), accepts(client([ROOT.pem]), chain, HOST))
    assert trust.judge([ssl.PEM_cert_to_DER_cert(leaf)], HOST, NOW + DAY / 100) == weak


def test_all_that_is_wrong_is_told(trust: Trust) -> None:
    """In the order of Fault, and in words for each."""
    leaf = forge("a.example", by=STRANGER, ends=-DAY / 2)
    assert trust.judge([leaf.der], HOST, NOW) == Judgement(
        (Fault.EXPIRED, Fault.UNKNOWN_ISSUER, Fault.WRONG_NAME),
        "certificate has expired; unable to get local issuer certificate; "
        "the certificate is not valid for 'mail.example.org'",
    )


def test_time_passes(trust: Trust) -> None:
    leaf = forge(HOST, by=ROOT)
    heard = [trust.judge([leaf.der], HOST, NOW + days * DAY).faults for days in (-2, 0, 2, 0)]
    assert heard == [(Fault.NOT_YET_VALID,), (), (Fault.EXPIRED,), ()]


def test_a_judgement_holds_a_minute(trust: Trust) -> None:
    leaf = forge(HOST, by=ROOT, ends=timedelta(seconds=30))
    ends = leaf.certificate.not_valid_after_utc
    fresh = [trust.judge([leaf.der], HOST, ends + timedelta(seconds=seconds)).faults for seconds in (-50, 9, 11)]
    assert fresh == [(), (), (Fault.EXPIRED,)]


def test_a_host_may_end_in_a_dot(trust: Trust) -> None:
    assert trust.judge([forge(HOST, by=ROOT).der], f"{HOST}.", NOW) == Judgement()


def test_no_certificate(trust: Trust) -> None:
    assert trust.judge([], HOST, NOW) == Judgement((Fault.OTHER,), "no certificate")


def test_the_roots_of_this_machine_are_trusted(trusted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are those that SSL_CERT_FILE names."""
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    assert Trust().judge([forge(HOST, by=ROOT).der], HOST, NOW) == Judgement()
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    monkeypatch.setenv("SSL_CERT_DIR", str(trusted.parent / "nowhere"))
    assert Trust().judge([forge(HOST, by=ROOT).der], HOST, NOW).faults == (Fault.UNKNOWN_ISSUER,)


@pytest.mark.parametrize("octets", [b"", b"no certificate\n", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_file_without_certificates(octets: bytes, tmp_path: Path) -> None:
    path = tmp_path / "roots.pem"
    path.write_bytes(octets)
    with pytest.raises(TrustError, match=r"roots\.pem holds no certificate: name a file in PEM or DER"):
        Trust((path,))


def test_a_file_in_der(tmp_path: Path) -> None:
    path = tmp_path / "root.der"
    path.write_bytes(ROOT.der)
    assert Trust((path,)).judge([forge(HOST, by=ROOT).der], HOST, NOW) == Judgement()
    path.write_bytes(ROOT.der[:100])
    with pytest.raises(TrustError, match=r"root\.der holds a certificate that cannot be read"):
        Trust((path,))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TrustError, match=r"roots\.pem: No such file"):
        Trust((tmp_path / "roots.pem",))


# Certificates in readable form.


def test_a_certificate_is_read() -> None:
    leaf = forge(HOST, "192.0.2.1", "2001:db8::1", by=ROOT, subject="a server, of sorts")
    found = certificate(leaf.der)
    assert (found.subject, found.issuer) == (r"CN=a server\, of sorts", "CN=a root")
    assert (found.names, found.title) == ((HOST, "192.0.2.1", "2001:db8::1"), HOST)
    assert (found.not_before, found.not_after) == (
        leaf.certificate.not_valid_before_utc,
        leaf.certificate.not_valid_after_utc,
    )
    assert found.key == "EC P-256"
    assert certificate(leaf.der) is found


def test_a_certificate_with_a_key_of_rsa() -> None:
    assert certificate(forge(HOST, key=WEAK).der).key == "RSA 1024"


def test_names_harm_no_screen() -> None:
    names = ["a\0b.example", "\x1b[31m.example", "*.example.org", *(f"{number}.example" for number in range(3000))]
    found = certificate(forge(*names, subject="\u202egro.elpmaxe").der)
    assert found.names[:4] == (r"a\x00b.example", r"\x1b[31m.example", "*.example.org", "0.example")
    assert len(found.names) == 64
    assert found.subject == r"CN=\xe2\x80\xaegro.elpmaxe"


def test_a_long_name_is_cut() -> None:
    [name] = certificate(forge("a" * 5000).der).names
    assert name == "a" * 254 + "…"


def test_what_cannot_be_read_is_empty() -> None:
    found = certificate(b"no certificate")
    assert (found.subject, found.issuer, found.names, found.key, found.der) == ("", "", (), "", b"no certificate")
    assert found.not_before == found.not_after == EPOCH


@given(st.data())
def test_nothing_is_raised_on_any_octets(data: st.DataObject) -> None:
    """Whether they are nearly a certificate, or none at all."""
    octets = bytearray(forged().der)
    for at in data.draw(st.lists(st.integers(0, len(octets) - 1), max_size=4)):
        octets[at] = data.draw(st.integers(0, 255))
    told = data.draw(st.sampled_from([bytes(octets), bytes(octets[:200]), data.draw(st.binary(max_size=64))]))
    found = certificate(told)
    assert found.der == told
    assert all(each.isprintable() for each in (found.subject, found.issuer, *found.names))
    judged = its_friend().judge([told, told], HOST, NOW)
    assert bool(judged.faults) == bool(judged.reason) == (told != forged().der)


@cache
def forged() -> Forged:
    """A certificate to be damaged."""
    return forge(HOST, "192.0.2.1", by=STRANGER, more=[SERVER, usage(signs_certificates=False)])


@cache
def its_friend() -> Trust:
    """Trusts its issuer."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "root.pem")
        path.write_bytes(STRANGER.pem)
        return Trust((path,))


# Names.


@given(st.text(max_size=40))
def test_any_host_is_judged(host: str) -> None:
    covers([b"mail.example.org", b"*.example.org", ipaddress.ip_address("192.0.2.1")], host)


@given(st.binary(max_size=40))
def test_any_name_is_judged(name: bytes) -> None:
    assert covers([name], HOST) == (name.lower() in (HOST.encode(), b"*.example.org"))
