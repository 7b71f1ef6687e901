from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from drawing import BLOB, paint
from fewclicks.errors import InputError, UnknownEntryError
from fewclicks.images.masks import iou
from fewclicks.web.service import ServiceSettings, create_service

HERE = ("127.0.0.1", 5000)


def picture() -> bytes:
    file = io.BytesIO()
    Image.fromarray(paint(BLOB)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    app = create_service(ServiceSettings(method="graphcut"))
    with TestClient(app, base_url="http://localhost", client=HERE) as client:
        yield client


@pytest.fixture(scope="module")
def guarded() -> Iterator[TestClient]:
    app = create_service(ServiceSettings(method="graphcut", token="secret"))
    with TestClient(app, base_url="http://masks.example.org", client=("10.0.0.7", 5)) as client:
        yield client


def segment(client: TestClient, **headers: str) -> Any:
    return client.post(
        "/v1/segment",
        files={"image": picture()},
        data={"clicks": json.dumps([{"x": 32, "y": 22}, {"x": 70, "y": 50, "is_positive": False}])},
        headers=headers,
    )


def test_a_mask_needs_no_folder_and_no_log_in_on_this_machine(client: TestClient):
    answer = segment(client)
    assert answer.status_code == 200
    mask = np.array(Image.open(io.BytesIO(answer.content))) == 255
    assert iou(mask, BLOB) > 0.9


def test_the_service_says_that_it_is_up_as_label_studio_expects(client: TestClient):
    for path in ("/health", "/"):
        assert client.get(path).json()["status"] == "UP"


def test_without_a_token_other_machines_and_foreign_names_and_pages_are_refused():
    app = create_service(ServiceSettings(method="graphcut"))
    far = TestClient(app, base_url="http://localhost", client=("10.0.0.7", 5))
    assert segment(far).status_code == 403
    assert "FEWCLICKS_TOKEN" in segment(far).json()["error"]
    assert far.post("/predict", json={}).status_code == 403
    near = TestClient(app, base_url="http://evil.com", client=HERE)
    assert segment(near).status_code == 421
    near = TestClient(app, base_url="http://localhost", client=HERE)
    assert segment(near, origin="http://evil.com").status_code == 403
    app.state.answering.close()


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_with_a_token_whoever_has_it_may_come_from_anywhere(guarded: TestClient):
    for header in ("Bearer secret", basic("anybody", "secret")):
        assert segment(guarded, authorization=header).status_code == 200
    assert guarded.get("/health").status_code == 200


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer wrong", "Bearer sécret", basic("secret", ""), "Basic §", "secret"],
)
@pytest.mark.parametrize("path", ["/v1/segment", "/setup", "/predict", "/webhook", "/versions"])
def test_without_it_nobody_may(guarded: TestClient, header: str, path: str):
    answer = guarded.post(path, json={}, headers={b"authorization": header.encode()})
    assert answer.status_code == 401
    assert "token" in answer.json()["error"]


def test_settings_come_from_the_environment():
    read = ServiceSettings.read(
        {
            "FEWCLICKS_METHOD": "grabcut",
            "FEWCLICKS_TOKEN": "t",
            "LABEL_STUDIO_URL": "http://localhost:8080",
            "LABEL_STUDIO_API_KEY": "k",
            "FEWCLICKS_PICTURE_ORIGINS": "https://a.org, https://b.org",
        }
    )
    assert read == ServiceSettings(
        method="grabcut",
        token="t",
        home="http://localhost:8080",
        key="k",
        origins=("https://a.org", "https://b.org"),
    )
    assert ServiceSettings.read({}) == ServiceSettings()


def test_settings_that_cannot_be_used_are_refused_at_the_start(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FEWCLICKS_METHOD", "grafcut")
    with pytest.raises(UnknownEntryError, match="graphcut"):
        create_service()
    with pytest.raises(InputError, match="needs http"):
        create_service(ServiceSettings(method="graphcut", origins=("a.org",)))


PART = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'


@pytest.mark.parametrize(
    ("kind", "head"), [("application/json", b"{"), ("multipart/form-data; boundary=x", PART)]
)
def test_a_body_that_grows_too_large_without_saying_so_is_refused(
    client: TestClient, kind: str, head: bytes
):
    def chunks() -> Iterator[bytes]:
        yield head
        for _ in range(65):
            yield b"x" * 2**20

    answer = client.post("/v1/segment", content=chunks(), headers={"content-type": kind})
    assert answer.status_code == 413
    assert "larger than" in answer.json()["error"]
