"""What is answered to a browser that asks for the certificate, or for anything."""

import http.client
import io
from html.parser import HTMLParser
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailproxy.app.ca_page import answer
from mailproxy.net.authority import Authority, Form


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One for all of them."""
    return Authority(tmp_path_factory.mktemp("ca"))


class _Heard(io.BytesIO):
    """A socket, as far as http.client asks it for what it heard."""

    def makefile(self, *_: object) -> io.BytesIO:
        return self


def response(said: bytes, method: str = "GET") -> http.client.HTTPResponse:
    """The one response that the octets hold, and nothing else."""
    heard = _Heard(said)
    found = http.client.HTTPResponse(heard, method=method)  # type: ignore[arg-type]
    found.begin()
    found.body = found.read()  # type: ignore[attr-defined]
    return found


class Page(HTMLParser):
    """What a page links to, and whether each element that it begins ends."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str | None] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.links.append(dict(attributes)["href"])
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    "target", ["/", "/?from=a+phone", "http://mailproxy.example/", "http://mailproxy.example", "http://[::1]:2525/"]
)
def test_the_page(target: str, authority: Authority) -> None:
    found = response(answer(f"GET {target} HTTP/1.1\r\nHost: mailproxy.example\r\n\r\n".encode(), authority))
    page = Page(found.body.decode())  # type: ignore[attr-defined]
    assert found.status == 200
    assert page.links == ["/ca.pem", "/ca.der", "/ca.p12"]
    assert page.open == []
    assert authority.certificate.fingerprint.upper() in page.text.replace(":", "")
    assert str(authority.folder) not in page.text


@pytest.mark.parametrize(
    ("path", "form", "kind"),
    [
        ("/ca.pem", Form.PEM, "application/x-x509-ca-cert"),
        ("/ca.der", Form.DER, "application/x-x509-ca-cert"),
        ("/ca.p12", Form.P12, "application/x-pkcs12"),
    ],
)
def test_the_files(path: str, form: Form, kind: str, authority: Authority) -> None:
    found = response(answer(f"GET {path} HTTP/1.0\r\n\r\n".encode(), authority))
    assert (found.status, found.headers["Content-Type"]) == (200, kind)
    assert _held(form, found.body) == _held(form, authority.export(form))  # type: ignore[attr-defined]


def _held(form: Form, octets: bytes) -> object:
    """What a file holds; the salt of a trust store differs each time."""
    return pkcs12.load_pkcs12(octets, None).additional_certs if form is Form.P12 else octets


def test_a_head_has_no_body(authority: Authority) -> None:
    said = answer(b"HEAD / HTTP/1.1\r\n\r\n", authority)
    assert said.endswith(b"\r\n\r\n")
    whole = answer(b"GET / HTTP/1.1\r\n\r\n", authority)
    assert whole.startswith(said)
    assert response(said, "HEAD").headers["Content-Length"] == str(len(whole) - len(said))


@pytest.mark.parametrize("path", ["/authority.pem", "/ca.pem/", "//", "/../authority.pem", "ca.pem", "http://[/ca.pem"])
def test_there_is_nothing_else(path: str, authority: Authority) -> None:
    assert response(answer(f"GET {path} HTTP/1.1\r\n\r\n".encode(), authority)).status == 404


@pytest.mark.parametrize("line", [b"", b"POST / HTTP/1.1", b"CONNECT mail.example.org:443 HTTP/1.1", b"EHLO client"])
def test_nothing_but_get_is_answered(line: bytes, authority: Authority) -> None:
    found = response(answer(line + b"\r\n\r\n", authority))
    assert (found.status, found.headers["Allow"]) == (405, "GET, HEAD")


def test_a_broken_authority_tells_no_folder(tmp_path: Path) -> None:
    (tmp_path / "authority.pem").write_bytes(b"torn")
    said = answer(b"GET / HTTP/1.1\r\n\r\n", Authority(tmp_path))
    assert response(said).status == 503
    assert str(tmp_path).encode() not in said


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80), st.sampled_from([b"", b"GET ", b"HEAD /", b"GET http://"]))
def test_any_request_is_answered(authority: Authority, octets: bytes, opening: bytes) -> None:
    request = opening + octets
    found = response(answer(request, authority), "HEAD" if request.startswith(b"HEAD ") else "GET")
    assert found.status in (200, 404, 405)
