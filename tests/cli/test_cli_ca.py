"""`mailproxy ca`: the authority, and programs that come to trust it."""

import os
import re
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12

from mailproxy.net.authority import Authority
from tests.cli.command import LIMIT, PROGRAM, Mailproxy
from tests.whole import need

unix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send, and another certutil")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the authority is kept."""
    path = tmp_path / "of mine" / "ca"
    monkeypatch.setenv("MAILPROXY_CA", str(path))
    return path


def certutil(profile: Path, *words: str) -> str:
    """What NSS says of a profile."""
    command = [need.program("certutil"), *words, "-d", f"sql:{profile}"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT, check=False)
    return (done.stdout + done.stderr).decode()


def held(form: str, octets: bytes) -> object:
    """What a file holds; the salt of a trust store differs each time."""
    return pkcs12.load_pkcs12(octets, None).additional_certs if form == "p12" else octets


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """A profile, as Thunderbird makes it."""
    path = tmp_path / "abc.default"
    path.mkdir()
    certutil(path, "-N", "--empty-password")
    return path


def test_without_a_word_it_helps(mailproxy: Mailproxy) -> None:
    ran = mailproxy("ca")
    assert ran.code == 0
    assert [
        word for word in ("show", "path", "export", "new", "install", "serve") if f"\n  {word} " not in ran.out
    ] == []


def test_show_tells_what_there_is_to_compare(folder: Path, mailproxy: Mailproxy) -> None:
    told = mailproxy("ca", "show", "--json").json
    own = Authority(folder).certificate
    assert told == {
        "version": 1,
        "subject": own.subject,
        "not_before": own.not_before.isoformat(),
        "not_after": own.not_after.isoformat(),
        "fingerprint": own.fingerprint,
        "path": str(folder / "mailproxy-ca.pem"),
    }
    shown = mailproxy("ca", "show").lines
    assert shown[0] == "  name     " + told["subject"].partition(",")[0].removeprefix("CN=")
    pairs = "".join(line[11:] for line in shown[2:4])
    assert pairs.replace(":", "").lower() == told["fingerprint"]
    assert shown[4] == f"  file     {told['path']}"


def test_the_path_is_that_of_a_certificate(mailproxy: Mailproxy) -> None:
    [path] = mailproxy("ca", "path").lines
    context = ssl.create_default_context(cafile=path)
    assert Path(path).read_bytes() == mailproxy("ca", "export").octets
    assert context.get_ca_certs(binary_form=True).count(mailproxy("ca", "export", "--format", "der").octets) == 1


@pytest.mark.parametrize("form", ["pem", "der", "p12"])
def test_it_is_exported_without_its_key(form: str, tmp_path: Path, folder: Path, mailproxy: Mailproxy) -> None:
    file = tmp_path / f"own.{form}"
    ran = mailproxy("ca", "export", str(file), "-f", form)
    assert (ran.code, ran.out, ran.err) == (0, "", f"mailproxy: wrote {file}{os.linesep}")
    assert held(form, file.read_bytes()) == held(form, mailproxy("ca", "export", "-f", form).octets)
    key = (folder / "authority.pem").read_text("ascii").partition("-----END PRIVATE KEY")[0].splitlines()[2]
    assert key.encode() not in file.read_bytes()


def test_no_octets_on_a_screen(mailproxy: Mailproxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    ran = mailproxy("ca", "export", "-f", "der")
    assert ran.code == 2
    assert "der is no text for a screen: name a file" in ran.failure


def test_a_new_one(folder: Path, mailproxy: Mailproxy) -> None:
    old = mailproxy("ca", "show", "--json").json
    told = mailproxy("ca", "new", "--json").json
    assert told["fingerprint"] != old["fingerprint"]
    assert mailproxy("ca", "show", "--json").json == told
    assert (folder / "authority.pem.bak").exists()


def test_a_broken_one_is_told_in_a_line(folder: Path, mailproxy: Mailproxy) -> None:
    assert mailproxy("ca", "path").code == 0
    (folder / "authority.pem").write_bytes(b"-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqG")
    for words in (["show"], ["path"], ["export"], ["install"], ["serve", "--port", "0"]):
        ran = mailproxy("ca", *words)
        assert ran.code == 1
        assert ran.failure.endswith(
            "authority.pem is not as mailproxy left it: it has no private key; run mailproxy ca new to begin anew"
        )
    assert mailproxy("ca", "new").code == 0
    assert mailproxy("ca", "show").code == 0


# Programs that come to trust it.


def test_the_steps_name_the_file(mailproxy: Mailproxy) -> None:
    [path] = mailproxy("ca", "path").lines
    ran = mailproxy("ca", "install")
    assert ran.lines[0] == f"The certificate is in {path}"
    for title in (
        "Thunderbird, Firefox",
        "Windows",
        "Outlook",
        "macOS, Apple Mail",
        "Fedora",
        "Android",
        "iPhone, iPad",
    ):
        assert title in ran.lines
    assert f"    sudo cp '{path}' /usr/local/share/ca-certificates/mailproxy.crt" in ran.lines


def test_the_steps_are_told_to_programs(mailproxy: Mailproxy) -> None:
    told = mailproxy("ca", "install", "--json").json
    assert told["file"] == mailproxy("ca", "path").out.strip()
    [debian] = [way for way in told["ways"] if way["title"].startswith("Debian")]
    assert [step["command"] for step in debian["steps"]][1] == "sudo update-ca-certificates"


@unix
def test_thunderbird_trusts_it(folder: Path, profile: Path, mailproxy: Mailproxy) -> None:
    """NSS takes no certificate of it before, and does after."""
    authority = Authority(folder)
    leaf = authority.leaf(None, (), ("127.0.0.1", "localhost"), datetime.now(UTC))
    certutil(profile, "-A", "-n", "leaf", "-t", ",,", "-i", str(leaf.path))
    assert "certificate is invalid" in certutil(profile, "-V", "-u", "V", "-n", "leaf")
    ran = mailproxy("ca", "install", "--thunderbird", str(profile))
    name = mailproxy("ca", "show").lines[0].removeprefix("  name     ")
    assert (ran.code, ran.lines) == (0, [f"{profile} trusts {name} from Thunderbird's next start on"])
    assert certutil(profile, "-V", "-u", "V", "-n", "leaf") == "certutil: certificate is valid\n"
    assert re.search(rf"^{name} +C,, *$", certutil(profile, "-L"), re.MULTILINE)


@unix
def test_thunderbird_may_be_told_twice(profile: Path, mailproxy: Mailproxy) -> None:
    for _ in range(2):
        told = mailproxy("ca", "install", "--thunderbird", str(profile), "--json").json
    assert told["profile"] == str(profile)
    assert certutil(profile, "-L").count(told["trusts"]) == 1


@unix
def test_a_profile_with_a_primary_password_is_left_alone(profile: Path, tmp_path: Path, mailproxy: Mailproxy) -> None:
    password, locked = tmp_path / "password", tmp_path / "locked"
    password.write_text("correct horse")
    locked.mkdir()
    certutil(locked, "-N", "-f", str(password))
    before = certutil(locked, "-L")
    ran = mailproxy("ca", "install", "--thunderbird", str(locked))
    assert ran.code == 1
    assert ran.failure.startswith(f"{locked} has a primary password: import ")
    assert certutil(locked, "-L") == before


def test_what_is_no_profile_is_refused(tmp_path: Path, mailproxy: Mailproxy) -> None:
    empty, new = tmp_path / "empty", tmp_path / "new"
    for path in (empty, new):
        path.mkdir()
    (new / "prefs.js").write_text("// Mozilla User Preferences\n")
    failures = [
        mailproxy("ca", "install", "--thunderbird", str(path)).failure for path in (tmp_path / "no", empty, new)
    ]
    assert failures == [
        f"{tmp_path / 'no'} is no folder: name a profile of Thunderbird, which holds prefs.js and cert9.db",
        f"{empty} is no profile of Thunderbird that has been used: it holds no cert9.db",
        f"{new} is no profile of Thunderbird that has been used: start Thunderbird with it once",
    ]
    assert list(empty.iterdir()) == []


def test_without_certutil_there_is_another_way(
    tmp_path: Path, mailproxy: Mailproxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cert9.db").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    ran = mailproxy("ca", "install", "--thunderbird", str(tmp_path))
    assert ran.code == 1
    assert ran.failure.startswith("certutil is not here: install it (libnss3-tools in Debian), or import ")
    assert ran.failure.endswith("Settings > Privacy & Security > Manage Certificates > Authorities > Import")


@unix
def test_a_profile_that_is_damaged(tmp_path: Path, mailproxy: Mailproxy) -> None:
    need.program("certutil")
    (tmp_path / "cert9.db").write_bytes(b"no database\n" * 100)
    ran = mailproxy("ca", "install", "--thunderbird", str(tmp_path))
    assert ran.code == 1
    assert ran.failure.startswith(f"certutil could not write to {tmp_path}: ")


# The page.


@unix
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_page_is_served(how: signal.Signals, mailproxy: Mailproxy) -> None:
    words = [*PROGRAM, "ca", "serve", "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            url = process.stdout.readline().partition(" ")[0]
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", url)
            for form in ("pem", "der", "p12"):
                with urllib.request.urlopen(f"{url}ca.{form}", timeout=LIMIT) as response:
                    assert held(form, response.read()) == held(form, mailproxy("ca", "export", "-f", form).octets)
            with urllib.request.urlopen(url, timeout=LIMIT) as response:
                assert response.headers["Content-Type"] == "text/html; charset=utf-8"
                assert mailproxy("ca", "show").lines[2][11:] in response.read().decode()
            with pytest.raises(urllib.error.HTTPError, match="404") as refused:
                urllib.request.urlopen(f"{url}authority.pem", timeout=LIMIT)
            refused.value.close()
            process.send_signal(how)
            out, err = process.communicate(timeout=LIMIT)
            assert (process.returncode, out, err) == (0, "", "")
        finally:
            process.kill()


def test_others_are_let_in_only_where_that_is_wished(mailproxy: Mailproxy) -> None:
    ran = mailproxy("ca", "serve", "--host", "0.0.0.0")
    assert ran.code == 2
    assert "others could reach 0.0.0.0: add --public if they shall" in ran.failure
