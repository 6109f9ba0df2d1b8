"""How programs and systems come to trust the authority, step by step."""

import shlex
from pathlib import Path
from typing import Final, NamedTuple

PAGE: Final = "mailproxy ca serve"


class Step(NamedTuple):
    """Something to do, and the command that does it, where one does."""

    text: str
    command: str = ""


class Way(NamedTuple):
    """For whom these steps are."""

    title: str
    steps: tuple[Step, ...]


def ways(file: str, quoted: str) -> tuple[Way, ...]:
    """All of them; `file` names the certificate in a sentence, `quoted` in a command."""
    return (
        Way(
            "Thunderbird, Firefox",
            (
                Step("Open Settings > Privacy & Security > Certificates > Manage Certificates > Authorities."),
                Step(f"Import {file}, and tick: Trust this CA to identify websites."),
                Step(
                    "Or close Thunderbird, and have it done; Help > Troubleshooting Information names the profile:",
                    "mailproxy ca install --thunderbird PROFILE",
                ),
            ),
        ),
        Way(
            "Windows",
            (
                Step(
                    "In PowerShell, and answer Yes:",
                    f"Import-Certificate -FilePath {quoted} -CertStoreLocation Cert:\\CurrentUser\\Root",
                ),
                Step("To take it back: certmgr.msc, Trusted Root Certification Authorities."),
            ),
        ),
        Way(
            "Outlook",
            (
                Step("The classic one trusts what Windows trusts, that of a Mac what the Mac trusts: see there."),
                Step("The new one and that of a phone fetch mail through Microsoft's servers, which cannot come here."),
            ),
        ),
        Way(
            "macOS, Apple Mail",
            (
                Step(
                    "In Terminal:",
                    "security add-trusted-cert -r trustRoot -p ssl -p basic "
                    f"-k ~/Library/Keychains/login.keychain-db {quoted}",
                ),
                Step("To take it back: Keychain Access, login, Certificates."),
            ),
        ),
        Way(
            "Debian, Ubuntu (Evolution, mutt, msmtp, fetchmail, curl)",
            (
                Step("", f"sudo cp {quoted} /usr/local/share/ca-certificates/mailproxy.crt"),
                Step("", "sudo update-ca-certificates"),
                Step("To take it back: delete that file, then:", "sudo update-ca-certificates --fresh"),
            ),
        ),
        Way(
            "Fedora",
            (
                Step("", f"sudo cp {quoted} /etc/pki/ca-trust/source/anchors/mailproxy.pem"),
                Step("", "sudo update-ca-trust"),
            ),
        ),
        Way(
            "One program for once",
            (
                Step("", f"curl --cacert {quoted}"),
                Step(f"msmtp: tls_trust_file, fetchmail: sslcertfile, mutt: certificate_file, each with {file}"),
            ),
        ),
        Way(
            "Android",
            (
                Step(f"Copy {file} to the phone, or open the page of: {PAGE}"),
                Step("Open Settings > Security > Encryption & credentials > Install a certificate > CA certificate."),
                Step("Makers name these differently: search the settings for: CA certificate."),
                Step("Many programs trust the system's own certificates only: then accept mailproxy's when they ask."),
            ),
        ),
        Way(
            "iPhone, iPad",
            (
                Step(f"Open the page of {PAGE} in Safari, and load the certificate in DER."),
                Step("Install it: Settings > General > VPN & Device Management."),
                Step("Trust it: Settings > General > About > Certificate Trust Settings."),
            ),
        ),
    )


def for_file(path: Path) -> tuple[Way, ...]:
    """All of them, for a file on this machine."""
    return ways(str(path), shlex.quote(str(path)))
