"""A folder of small pictures, and somebody who annotates it over HTTP."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import numpy as np
from starlette.testclient import TestClient

from drawing import BLOB, paint
from fewclicks.arrays import BoolMask
from fewclicks.images.masks import decode_rle
from fewclicks.images.writing import write_image

NAMES = ("a.png", "b.png", "sub/c.png")
INSIDE = {"kind": "click", "x": 32, "y": 22, "is_positive": True}
OUTSIDE = {"kind": "click", "x": 70, "y": 50, "is_positive": False}


def make_folder(folder: Path) -> Path:
    """Write three pictures of a blob, each with other colours."""
    for number, name in enumerate(NAMES):
        write_image(folder / name, paint(BLOB, inside=(200, 60 + 50 * number, 40)))
    return folder


class Hand:
    """An annotator's hand: logs in, and says what it does."""

    def __init__(self, client: TestClient, name: str = "Anna", *, token: str = "") -> None:
        self.client = client
        answer = client.post("/api/login", json={"token": token, "name": name})
        assert answer.status_code == 200, answer.text
        self.headers = {"Authorization": f"Bearer {answer.json()['session']}"}

    def get(self, path: str) -> Any:
        """What a path answers."""
        answer = self.client.get(path, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, picture: int, action: dict[str, Any], *, name: str | None = None) -> Any:
        """Answer to an action, whatever it is."""
        return self.client.post(
            f"/api/pictures/{picture}/actions",
            json={"id": name or str(uuid.uuid4()), "action": action},
            headers=self.headers,
        )

    def act(self, picture: int, /, **action: Any) -> Any:
        """Take an action that must succeed."""
        answer = self.send(picture, action)
        assert answer.status_code == 200, answer.text
        return answer.json()


def mask_of(rle: dict[str, Any] | None) -> BoolMask:
    """Decode what the server sent."""
    assert rle is not None
    return np.asarray(decode_rle(rle))
