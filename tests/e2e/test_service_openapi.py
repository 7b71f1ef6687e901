"""Whatever fits the documented requests of the service, and much that does not, gets an answer."""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from starlette.testclient import TestClient

from fewclicks.web.service import ServiceSettings, create_service

HEADERS = {"Host": "localhost", "Authorization": "Bearer secret"}
MANY = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_no_request_makes_the_service_fail():
    app = create_service(ServiceSettings(method="graphcut", token="secret"))
    asked = set()
    with TestClient(app, base_url="http://localhost"):
        schema = schemathesis.openapi.from_asgi("/openapi.json", app, headers=HEADERS)
        for found in schema.get_all_operations():
            operation = found.ok()

            @MANY
            @given(case=operation.as_strategy())
            def ask(case: schemathesis.Case) -> None:
                asked.add(case.path)
                answer = case.call(headers=HEADERS)
                case.validate_response(answer, checks=(not_a_server_error,))
                if answer.status_code >= 400:
                    assert "\n" not in answer.json()["error"]

            ask()
    assert {"/v1/segment", "/setup", "/predict", "/webhook", "/versions", "/health"} <= asked
