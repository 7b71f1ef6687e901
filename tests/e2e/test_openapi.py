"""Whatever fits the documented requests, and much that does not, is answered and never crashes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from starlette.testclient import TestClient

from annotated_folder import INSIDE, Hand, make_folder
from fewclicks.web.app import create_app

HOST = "http://127.0.0.1"


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    folder = make_folder(tmp_path_factory.mktemp("pictures"))
    with TestClient(create_app(folder, method="graphcut"), base_url=HOST) as client:
        hand = Hand(client)
        hand.act(1, **INSIDE)
        yield hand


@pytest.fixture(scope="module")
def schema(hand: Hand) -> schemathesis.schemas.BaseSchema:
    return schemathesis.openapi.from_asgi(
        "/openapi.json", hand.client.app, headers={"Host": "127.0.0.1"}
    )


MANY = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_no_request_makes_the_server_fail(schema: schemathesis.schemas.BaseSchema, hand: Hand):
    asked = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @MANY
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            nonlocal asked
            asked += 1
            answer = case.call(headers={**hand.headers, "Host": "127.0.0.1"})
            case.validate_response(answer, checks=(not_a_server_error,))
            if answer.status_code >= 400:
                assert "\n" not in answer.json()["error"]

        ask()
    assert asked > 100
