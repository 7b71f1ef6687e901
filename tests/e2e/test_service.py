"""The command of the docs starts the service, which answers as they say."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from drawing import BLOB, paint
from fewclicks.images.masks import decode_rle, iou

PAGE = Path(__file__).resolve().parents[2] / "docs" / "integrations.md"


def documented_command() -> list[str]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return shlex.split(next(line for line in lines if line.startswith("uvicorn ")))


@pytest.fixture
def address() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [port if word == "9090" else word for word in documented_command()]
    assert port in command
    environment = {**os.environ, "FEWCLICKS_METHOD": "graphcut", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-m", *command], env=environment)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(timeout=60)


def wait_for(address: str) -> None:
    for _ in range(1200):
        try:
            assert httpx.get(f"{address}/health").json()["status"] == "UP"
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"{address} never answered")


def test_the_documented_command_serves_masks(address: str):
    wait_for(address)
    file = io.BytesIO()
    Image.fromarray(paint(BLOB)).save(file, "PNG")
    clicks = [{"x": 32, "y": 22}, {"x": 70, "y": 50, "is_positive": False}]
    answer = httpx.post(
        f"{address}/v1/segment",
        files={"image": ("dog.png", file.getvalue())},
        data={"clicks": json.dumps(clicks), "format": "rle"},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    assert iou(np.asarray(decode_rle(answer.json()["rle"])), BLOB) > 0.9


def test_every_variable_that_the_page_names_is_read():
    from fewclicks.web.service import ServiceSettings

    asked = set()

    class Environment(dict[str, str]):
        def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
            asked.add(name)
            return default

    ServiceSettings.read(Environment())
    named = re.findall(r"`((?:FEWCLICKS|LABEL_STUDIO)_[A-Z_]+)`", PAGE.read_text(encoding="utf-8"))
    assert set(named) == asked
