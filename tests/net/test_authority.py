"""mailproxy's own authority, and what it issues, before Python's ssl and openssl as clients."""

import os
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailproxy.model.tls import Certificate, Fault
from mailproxy.net import issue
from mailproxy.net.authority import Authority, AuthorityError, Form
from mailproxy.net.certificates import EPOCH, certificate
from mailproxy.net.trust import Trust
from tests.net.forge import DAY, HOST, Forged, forge
from tests.net.judge import accepts, client
from tests.whole import need

NOW = datetime.now(UTC)
POINTED_AT = ("127.0.0.1", "localhost", "::1")
POSIX = pytest.mark.skipif(os.name != "posix", reason="rights are told otherwise there")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A new one."""
    return Authority(tmp_path / "of mine" / "ca")


@pytest.fixture
def file(authority: Authority) -> Path:
    """Where it keeps its key."""
    return authority.folder / "authority.pem"


def like(*names: str, forged: Forged | None = None) -> Certificate:
    """A server's own certificate."""
    return certificate((forged or forge(*(names or (HOST,)), by=forge(subject="some issuer", ca=True))).der)


def read(path: Path) -> x509.Certificate:
    """The first certificate of a file."""
    return x509.load_pem_x509_certificate(path.read_bytes())


# The authority.


def test_it_is_made_when_it_is_needed(authority: Authority, file: Path) -> None:
    assert not authority.folder.parent.exists()
    own = authority.certificate
    assert own.subject.startswith("CN=mailproxy CA ")
    assert own.subject == own.issuer
    assert own.key == "EC P-256"
    assert timedelta(days=3649) < own.not_after - NOW < timedelta(days=3651)
    assert own.not_before < NOW - DAY
    assert file.exists()
    assert Authority(authority.folder).certificate == own


def test_it_signs_for_servers_only(authority: Authority) -> None:
    own = read(authority.path).extensions
    assert own.get_extension_for_class(x509.BasicConstraints).value == x509.BasicConstraints(ca=True, path_length=0)
    assert own.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    assert list(own.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert own.get_extension_for_class(x509.SubjectKeyIdentifier)


@POSIX
def test_keys_are_for_their_owner_only(authority: Authority, file: Path) -> None:
    leaf = authority.leaf(None, (), POINTED_AT, NOW)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (authority.folder, file, leaf.path.parent, leaf.path)] == [
        *(0o700, 0o600, 0o700, 0o600)
    ]


@POSIX
def test_rights_that_others_were_given_are_taken_back(authority: Authority, file: Path) -> None:
    assert authority.certificate
    file.chmod(0o644)
    assert Authority(authority.folder).certificate
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_for_others_holds_no_key(authority: Authority) -> None:
    octets = authority.path.read_bytes()
    assert b"PRIVATE" not in octets
    assert authority.export(Form.PEM) == octets
    assert authority.export(Form.DER) == authority.certificate.der
    authority.path.write_bytes(b"torn")
    assert authority.path.read_bytes() == octets


def test_a_trust_store(authority: Authority, tmp_path: Path) -> None:
    """As openssl reads it."""
    (tmp_path / "ca.p12").write_bytes(authority.export(Form.P12))
    command = [need.program("openssl"), "pkcs12", "-in", str(tmp_path / "ca.p12"), "-passin", "pass:"]
    said = subprocess.run(command, capture_output=True, check=True).stdout
    assert authority.export(Form.PEM) in said
    assert b"PRIVATE" not in said


def test_one_is_made_where_several_processes_begin(authority: Authority) -> None:
    """Each presents what the same authority has signed."""
    code = "import sys; from pathlib import Path; from mailproxy.net.authority import Authority; input(); "
    code += "print(Authority(Path(sys.argv[1])).certificate.fingerprint)"
    command = [sys.executable, "-c", code, str(authority.folder)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(6)]
    told: list[bytes] = []
    threads = [threading.Thread(target=lambda each=each: told.append(each.communicate(b"\n")[0])) for each in processes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(told) == {f"{authority.certificate.fingerprint}{os.linesep}".encode()}
    assert len(told) == 6
    assert sorted(path.name for path in authority.folder.iterdir()) == ["authority.pem"]


def test_the_first_of_two_is_kept(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one comes while ours is on its way to the disk."""
    first, make = Authority(authority.folder), issue.authority

    def slowly(key: issue.Key, now: datetime) -> x509.Certificate:
        monkeypatch.setattr(issue, "authority", make)
        assert first.certificate
        return make(key, now)

    monkeypatch.setattr(issue, "authority", slowly)
    assert authority.certificate == first.certificate


def test_a_file_system_without_links(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert Authority(authority.folder).certificate == authority.certificate
    assert [path.name for path in authority.folder.iterdir()] == ["authority.pem"]


def _damaged(octets: bytes) -> Iterator[tuple[bytes, str]]:
    key, mark, own = octets.partition(b"-----END PRIVATE KEY-----\n")
    other = forge(HOST)
    rsa_key = forge(HOST, key=rsa.generate_private_key(65537, 2048))
    yield b"", "it has no private key"
    yield octets[:60], "it has no private key"
    yield octets[: len(octets) // 2], "it is damaged"
    yield key + mark, "it is damaged"
    yield key[:40] + b"AAAA" + key[44:] + mark + own, "it is damaged"
    yield octets.replace(b"MI", b"\0\0"), "it is damaged"
    yield other.key_pem + own, "its key is that of another certificate"
    yield rsa_key.key_pem + rsa_key.pem, "its key is of another kind"
    yield other.key_pem + other.pem, "its certificate is that of no authority"


def test_a_file_that_is_not_what_it_was(authority: Authority, file: Path) -> None:
    """It is told in a line what to do, and no octet of a key is told."""
    assert authority.certificate
    for octets, wrong in _damaged(file.read_bytes()):
        file.write_bytes(octets)
        with pytest.raises(AuthorityError) as told:
            assert Authority(authority.folder).certificate
        assert str(told.value) == f"{file} is not as mailproxy left it: {wrong}; run mailproxy ca new to begin anew"
        assert file.read_bytes() == octets


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("in the way")
    with pytest.raises(AuthorityError, match=r"ca: (Not a directory|File exists); MAILPROXY_CA names another folder"):
        assert Authority(tmp_path / "ca").certificate


def test_a_new_one(authority: Authority, file: Path) -> None:
    old, octets = authority.certificate, file.read_bytes()
    leaf = authority.leaf(None, (), POINTED_AT, NOW)
    authority.new()
    assert authority.certificate.subject != old.subject
    assert file.with_suffix(".pem.bak").read_bytes() == octets
    assert not leaf.path.exists()
    assert accepts(client([authority.export(Form.PEM)]), authority.leaf(None, (), POINTED_AT, NOW).path, "::1") == ""


def test_a_new_one_in_the_place_of_a_broken_one(authority: Authority, file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(b"torn")
    authority.new()
    assert Authority(authority.folder).certificate == authority.certificate
    assert file.with_suffix(".pem.bak").read_bytes() == b"torn"


def test_one_that_has_expired(authority: Authority) -> None:
    later = authority.certificate.not_after
    with pytest.raises(AuthorityError, match=r"expired on \d{4}-\d\d-\d\d: run mailproxy ca new"):
        authority.leaf(None, (), POINTED_AT, later)
    short = authority.leaf(None, (), POINTED_AT, later - DAY)
    assert read(short.path).not_valid_after_utc == later


# What it issues.


@pytest.mark.parametrize("host", [*POINTED_AT, HOST, "pop.example.org", "any.example.net"])
def test_a_good_one_is_good_for_all_its_names(host: str, authority: Authority) -> None:
    server = like(HOST, "pop.example.org", "*.example.net")
    leaf = authority.leaf(server, (), POINTED_AT, NOW)
    assert accepts(client([authority.export(Form.PEM)]), leaf.path, host) == ""
    assert accepts(client([authority.export(Form.PEM)]), leaf.path, "elsewhere.example.com") != ""
    assert accepts(client([forge(ca=True).pem]), leaf.path, host) == "unable to get local issuer certificate"


def test_openssl_has_nothing_against_it(authority: Authority) -> None:
    """Under its strictest rules."""
    leaf = authority.leaf(like(), (), POINTED_AT, NOW)
    command = [need.program("openssl"), "verify", "-x509_strict", "-purpose", "sslserver", "-verify_ip", "127.0.0.1"]
    said = subprocess.run([*command, "-CAfile", str(authority.path), str(leaf.path)], capture_output=True, check=False)
    assert said.returncode == 0, said


def test_what_it_is_told_of_is_what_is_presented(authority: Authority) -> None:
    leaf = authority.leaf(like(), (), POINTED_AT, NOW)
    [der] = leaf.chain
    assert certificate(der).names == (*POINTED_AT, HOST)
    assert read(leaf.path).public_bytes(Encoding.DER) == der
    assert certificate(der).key == "EC P-256"
    assert certificate(der).not_after - certificate(der).not_before == timedelta(days=90)
    assert certificate(der).not_before < NOW - DAY


@pytest.mark.parametrize(
    "faults", [each for count in range(len(Fault) + 1) for each in combinations(Fault, count)], ids=str
)
def test_it_fails_as_the_server_does(faults: tuple[Fault, ...], authority: Authority, tmp_path: Path) -> None:
    """Whoever trusts the authority finds the same faults; of two that cannot be told apart, one."""
    begins, ends = (DAY, 2 * DAY) if Fault.NOT_YET_VALID in faults else (-2 * DAY, DAY)
    server = like(forged=forge(HOST, begins=begins, ends=-DAY if Fault.EXPIRED in faults and begins < DAY else ends))
    leaf = authority.leaf(server, faults, POINTED_AT, NOW)
    expected = {Fault.UNKNOWN_ISSUER if fault is Fault.OTHER else fault for fault in faults}
    if Fault.SELF_SIGNED in faults:
        expected.discard(Fault.UNKNOWN_ISSUER)
    if Fault.EXPIRED in faults:
        expected.discard(Fault.NOT_YET_VALID)
    trust = Trust((authority.path,))
    assert set(trust.judge(leaf.chain, "localhost", NOW).faults) == expected
    assert bool(accepts(client([authority.export(Form.PEM)]), leaf.path, "localhost")) == bool(faults)


def test_it_is_out_of_time_as_the_server_is(authority: Authority) -> None:
    expired = like(forged=forge(HOST, begins=-9 * DAY, ends=-3 * DAY))
    [old] = authority.leaf(expired, (Fault.EXPIRED,), POINTED_AT, NOW).chain
    assert (certificate(old).not_before, certificate(old).not_after) == (expired.not_before, expired.not_after)
    early = like(forged=forge(HOST, begins=3 * DAY, ends=9 * DAY))
    [new] = authority.leaf(early, (Fault.NOT_YET_VALID,), POINTED_AT, NOW).chain
    assert (certificate(new).not_before, certificate(new).not_after) == (early.not_before, early.not_after)


def test_it_names_the_issuer_that_nobody_knows(authority: Authority) -> None:
    server = like(forged=forge(HOST, by=forge(subject="Mallory's CA", ca=True), subject="Mallory"))
    [der] = authority.leaf(server, (Fault.UNKNOWN_ISSUER,), POINTED_AT, NOW).chain
    assert (certificate(der).subject, certificate(der).issuer) == ("CN=Mallory", "CN=Mallory's CA")


def test_nobody_signs_anew_in_each_process(authority: Authority) -> None:
    """The key of the unknown issuer is on no disk."""
    leaf = authority.leaf(like(), (Fault.UNKNOWN_ISSUER,), POINTED_AT, NOW)
    other = Authority(authority.folder)
    assert other.leaf(like("a.example"), (Fault.UNKNOWN_ISSUER,), POINTED_AT, NOW).path != leaf.path
    issuers = [path.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value for path in _leaves(other)]
    assert len(issuers) == len(set(issuers)) == 2


def _leaves(authority: Authority) -> list[x509.Certificate]:
    return [read(path) for path in (authority.folder / "leaves").glob("*.pem")]


def test_a_wrong_name_stays_wrong(authority: Authority) -> None:
    [der] = authority.leaf(like("a.example"), (Fault.WRONG_NAME,), POINTED_AT, NOW).chain
    assert certificate(der).names == ("a.example",)
    [der] = authority.leaf(certificate(b""), (Fault.WRONG_NAME,), POINTED_AT, NOW).chain
    assert certificate(der).names == ("wrong-name.invalid",)


def test_a_server_that_presents_nothing_that_can_be_read(authority: Authority) -> None:
    for faults in ((), *((fault,) for fault in Fault)):
        [der] = authority.leaf(certificate(b"\x30\x03no"), faults, (), NOW).chain
        assert certificate(der).not_after > EPOCH


def test_names_that_no_certificate_can_have_are_left_out(authority: Authority) -> None:
    hostile = like(
        "a\0b.example", "", "-", "a..b", "*", "x" * 64 + ".example", "ok.example", "mail.*.example", "a_b.example"
    )
    pointed_at = ("127.0.0.1", "fe80::1%eth0", "", "*", "b\u00fccher.example", "\ud800", "x" * 300, "a b")
    [der] = authority.leaf(hostile, (), pointed_at, NOW).chain
    assert certificate(der).names == ("127.0.0.1", "fe80::1", "xn--bcher-kva.example", "ok.example", "a_b.example")


def test_a_thousand_names_are_kept(authority: Authority) -> None:
    server = like(*(f"{number}.example" for number in range(3000)))
    [der] = authority.leaf(server, (), POINTED_AT, NOW).chain
    found = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert len(list(found)) == 1000
    assert certificate(der).names[:3] == POINTED_AT


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_certificate_has_its_like(authority: Authority, data: st.DataObject) -> None:
    octets = bytearray(SERVER.der)
    for at in data.draw(st.lists(st.integers(0, len(octets) - 1), max_size=4)):
        octets[at] = data.draw(st.integers(0, 255))
    faults = tuple(sorted(data.draw(st.sets(st.sampled_from(Fault))), key=list(Fault).index))
    leaf = authority.leaf(certificate(bytes(octets)), faults, POINTED_AT, NOW)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(leaf.path)
    assert certificate(leaf.chain[0]).names


SERVER = forge(HOST, "192.0.2.1", subject="to be damaged")


# What is kept.


def test_the_same_is_presented_again(authority: Authority) -> None:
    leaf = authority.leaf(like(forged=SERVER), (), POINTED_AT, NOW)
    assert authority.leaf(like(forged=SERVER), (), POINTED_AT, NOW + DAY) is leaf
    assert Authority(authority.folder).leaf(like(forged=SERVER), (), POINTED_AT, NOW) == leaf
    assert authority.leaf(like(forged=SERVER), (), POINTED_AT[:1], NOW) != leaf


def test_another_is_due_while_this_one_is_good(authority: Authority) -> None:
    leaf = authority.leaf(None, (), POINTED_AT, NOW)
    assert leaf.until == read(leaf.path).not_valid_after_utc - timedelta(days=30)
    due = leaf.until
    again = authority.leaf(None, (), POINTED_AT, due)
    assert again.until > due
    assert again.path == leaf.path
    assert Authority(authority.folder).leaf(None, (), POINTED_AT, due) == again


def test_it_is_made_anew_where_its_file_is_gone_or_torn(authority: Authority) -> None:
    leaf = authority.leaf(None, (), POINTED_AT, NOW)
    leaf.path.unlink()
    again = authority.leaf(None, (), POINTED_AT, NOW)
    assert again.path.exists()
    assert again.chain != leaf.chain
    again.path.write_bytes(again.path.read_bytes()[:300])
    assert Authority(authority.folder).leaf(None, (), POINTED_AT, NOW).chain != again.chain


def test_the_oldest_are_deleted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailproxy.net.leaves.KEPT", 3)
    made = []
    for number in range(5):
        made.append(authority.leaf(None, (), (f"{number}.example",), NOW).path)
        os.utime(made[-1], (number, number))
    assert [path.exists() for path in made] == [False, False, True, True, True]


def test_a_key_is_in_no_traceback(authority: Authority) -> None:
    assert authority.certificate
    assert "mailproxy CA" in repr(authority._pair)
    assert "PRIVATE" not in repr(vars(authority))
