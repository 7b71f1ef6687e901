from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fewclicks.web.access import Gate


async def _behind(_scope: Any, receive: Any, send: Any) -> None:
    taken = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            taken = b"cut"
            break
        taken += message.get("body", b"")
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": taken})


def ask(
    headers: dict[str, str], *, hosts: tuple[str, ...] = ("localhost",), chunks: int = 1
) -> tuple[int, dict[bytes, bytes], bytes]:
    gate = Gate(_behind, hosts=hosts, largest_body=100)
    sent: list[Any] = []
    left = [
        {"type": "http.request", "body": b"x" * 60, "more_body": number < chunks - 1}
        for number in range(chunks)
    ]

    async def receive() -> Any:
        return left.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(gate(scope, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


def test_a_program_on_this_machine_comes_through_and_gets_careful_headers():
    status, headers, body = ask({"host": "localhost:8000"})
    assert (status, body) == (200, b"x" * 60)
    assert b"default-src 'self'" in headers[b"content-security-policy"]
    assert headers[b"x-content-type-options"] == b"nosniff"


@pytest.mark.parametrize("host", ["evil.com", "evil.com:8000", "localhost.evil.com", ""])
def test_a_name_that_was_made_to_point_here_is_refused(host: str):
    assert ask({"host": host})[0] == 421


@pytest.mark.parametrize(
    "origin", ["http://evil.com", "http://localhost:9999", "null", "https://localhost"]
)
def test_a_page_from_elsewhere_is_refused(origin: str):
    assert ask({"host": "localhost:8000", "origin": origin})[0] == 403


def test_the_own_page_is_no_foreign_page():
    assert ask({"host": "localhost:8000", "origin": "http://localhost:8000"})[0] == 200


def test_where_a_token_is_asked_for_any_host_will_do():
    assert ask({"host": "pictures.example.org"}, hosts=())[0] == 200


@pytest.mark.parametrize("length", ["101", "-1", "many"])
def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_read(length: str):
    assert ask({"host": "localhost", "content-length": length})[0] == 413


def test_a_body_that_grows_too_large_is_cut():
    assert ask({"host": "localhost"}, chunks=3)[2] == b"cut"
