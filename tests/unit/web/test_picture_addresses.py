from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fewclicks.errors import InputError, StorageError
from fewclicks.web.picture_addresses import PictureAddresses


class _Tool(BaseHTTPRequestHandler):
    """A tool's own server: one picture, one that is elsewhere, one that is too large."""

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Authorization")))  # type: ignore[attr-defined]
        if self.path == "/moved.png":
            self.send_response(302)
            self.send_header("Location", "/data/upload/1/dog.png")
        else:
            self.send_response(404 if self.path == "/none.png" else 200)
        self.end_headers()
        if self.path != "/moved.png":
            self.wfile.write(b"x" * (2000 if self.path == "/large.png" else 10))

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serve() -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Tool)
    server.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", server.asked  # type: ignore[attr-defined]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def tool() -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    with serve() as served:
        yield served


def test_an_upload_is_fetched_from_home_with_the_key(tool):
    home, asked = tool
    addresses = PictureAddresses(home=f"{home}/", key="secret")
    assert addresses.read("/data/upload/1/dog.png") == b"x" * 10
    assert addresses.read(f"{home}/data/upload/1/dog.png") == b"x" * 10
    assert asked == [("/data/upload/1/dog.png", "Token secret")] * 2


def test_the_key_goes_nowhere_but_home(tool):
    home, asked = tool
    addresses = PictureAddresses(home="http://127.0.0.1:9", key="secret", origins=[home])
    addresses.read(f"{home}/dog.png")
    assert asked == [("/dog.png", None)]


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:1/dog.png",
        "http://localhost/dog.png",
        "//127.0.0.1/dog.png",
        "https://pictures.example.org:444/dog.png",
        "http://pictures.example.org/dog.png",
        "https://pictures.example.org.evil.com/dog.png",
        "https://pictures.example.org@evil.com/dog.png",
        "https://evil.com\\@pictures.example.org/dog.png",
        "file:///etc/passwd",
        "ftp://pictures.example.org/dog.png",
        "s3://bucket/dog.png",
        "gopher://pictures.example.org/",
        "dog.png",
        "http://[::1",
        "",
        "/data/upload/1/dog.png",
    ],
)
def test_nothing_is_fetched_that_nobody_allowed(address: str):
    addresses = PictureAddresses(origins=["https://pictures.example.org"])
    addresses._opener = None  # type: ignore[assignment]  # whoever came here would fail otherwise
    with pytest.raises(InputError) as refusal:
        addresses.read(address)
    assert "\n" not in str(refusal.value)


def test_an_allowed_origin_may_name_its_usual_port(tool):
    home, _ = tool
    upper = home.replace("http", "HTTP")
    assert PictureAddresses(origins=[upper]).read(f"{home}/dog.png") == b"x" * 10
    addresses = PictureAddresses(origins=["https://pictures.example.org:443"])
    addresses._fetch = lambda _, origin: origin.encode()  # type: ignore[method-assign]
    assert addresses.read("https://PICTURES.example.org/a") == b"https://pictures.example.org"


def test_a_redirect_is_not_followed(tool):
    home, asked = tool
    with pytest.raises(StorageError, match="302"):
        PictureAddresses(home=home, key="secret").read("/moved.png")
    assert [path for path, _ in asked] == ["/moved.png"]


def test_what_is_missing_too_large_or_unreachable_is_said_in_a_line(tool):
    home, _ = tool
    with pytest.raises(StorageError, match="404"):
        PictureAddresses(home=home).read("/none.png")
    with pytest.raises(InputError, match="more than 1000 bytes"):
        PictureAddresses(home=home, largest=1000).read("/large.png")
    with pytest.raises(StorageError, match="Cannot fetch"):
        PictureAddresses(home="http://127.0.0.1:9").read("/dog.png")


def test_a_data_address_needs_no_server():
    text = base64.b64encode(b"abc").decode()
    assert PictureAddresses().read(f"data:image/png;base64,{text}") == b"abc"


def test_an_origin_that_is_no_address_is_refused_at_once():
    with pytest.raises(InputError, match="needs http"):
        PictureAddresses(origins=["pictures.example.org"])
