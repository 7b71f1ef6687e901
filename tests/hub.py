"""A hub on this machine: the few answers that fetching asks a real one for."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """What lies in its one repository, ``owner/name``, and what was asked of it."""

    files: dict[str, bytes]
    large: tuple[str, ...] = (".safetensors",)
    address: str = ""
    asked: list[tuple[str, int]] = field(default_factory=list)
    stalls_at: int | None = None
    stalled: threading.Event = field(default_factory=threading.Event)
    goes_on: threading.Event = field(default_factory=threading.Event)

    @property
    def place(self) -> str:
        return f"{self.address}/owner/name"

    def listing(self) -> dict[str, object]:
        siblings = []
        for name, content in self.files.items():
            row: dict[str, object] = {"rfilename": name, "size": len(content), "blobId": "0" * 40}
            if name.endswith(self.large):
                digest = hashlib.sha256(content).hexdigest()
                row["lfs"] = {"sha256": digest, "size": len(content), "pointerSize": 130}
            siblings.append(row)
        return {"id": "owner/name", "modelId": "owner/name", "sha": COMMIT, "siblings": siblings}


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Answer on a port of the loopback, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path.startswith("/api/models/owner/name"):
                return self.answer(200, json.dumps(hub.listing()).encode(), "application/json")
            name = self.path.partition(f"/owner/name/resolve/{COMMIT}/")[2]
            if name not in hub.files:
                return self.answer(404, b"", "text/plain", **{"X-Error-Code": "RepoNotFound"})
            first, _, last = self.headers["Range"].removeprefix("bytes=").partition("-")
            hub.asked.append((name, int(first)))
            if hub.stalls_at is not None and int(first) >= hub.stalls_at:
                hub.stalled.set()
                hub.goes_on.wait(60)
            return self.answer(206, hub.files[name][int(first) : int(last) + 1], "data")

        def answer(self, status: int, body: bytes, kind: str, **headers: str) -> None:
            self.send_response(status)
            for key, value in {"Content-Type": kind, "Content-Length": str(len(body))}.items():
                self.send_header(key, value)
            for key, value in headers.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            with suppress(ConnectionError):  # the one who asked was killed
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.goes_on.set()
        server.shutdown()
        server.server_close()
        thread.join()
