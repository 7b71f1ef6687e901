"""Access: which requests are let through at all, before any route sees them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from starlette.responses import JSONResponse

LARGEST_BODY: Final = 64 * 2**20
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})

_HEADERS: Final = (
    (b"content-security-policy",
     b"default-src 'self'; img-src 'self' blob:; style-src 'self'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)  # fmt: skip

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]


class Gate:
    """Turns away requests from foreign pages, for foreign hosts, and larger than any of ours.

    A browser sends `Origin` with whatever a foreign page asks for, and `Host` betrays a name that
    was made to point here (DNS rebinding). Programs that are no browser send no origin.

    Parameters
    ----------
    app
        What lies behind.
    hosts
        Names that this server answers to; empty for any, where a token is asked for anyway.
    largest_body
        In bytes.
    """

    def __init__(
        self, app: App, *, hosts: Iterable[str] = (), largest_body: int = LARGEST_BODY
    ) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._largest_body = largest_body

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refuse(headers)
        if refusal is not None:
            await JSONResponse({"error": refusal[1]}, status_code=refusal[0])(scope, receive, send)
            return
        await self._app(scope, self._limited(receive), _with_headers(send))

    def _refuse(self, headers: dict[bytes, str]) -> tuple[int, str] | None:
        host = headers.get(b"host", "")
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        if self._hosts and name not in self._hosts:
            return 421, f"This server does not answer for the host '{name}'."
        origin = headers.get(b"origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return 403, f"Requests from pages of {origin} are refused."
        length = headers.get(b"content-length", "0")
        if not length.isdigit() or int(length) > self._largest_body:
            return 413, f"The request is larger than {self._largest_body} bytes."
        return None

    def _limited(self, receive: Receive) -> Receive:
        taken = 0

        async def limited() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._largest_body:  # chunks, whose sum nobody announced
                return {"type": "http.disconnect"}
            return message

        return limited


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *_HEADERS]
        await send(message)

    return sending
