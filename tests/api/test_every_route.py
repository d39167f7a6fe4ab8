"""What holds for every route: nobody, no role, wrong method, bad input, nothing there.

That each works is tested beside what it does.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from runs.api import bodies
from runs.api.routing import Operation, Route
from runs.api.urls import ROUTES
from runs.roles import OPERATE
from tests.api.conftest import Api

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
NOWHERE = {
    "run_id": str(uuid.uuid4()),
    "sample_id": "none",
    "upload_id": "0" * 32,
    "part": "alignment",
    "name": "happy/none.csv",
}
ENOUGH: dict[Any, dict[str, Any]] = {
    None: {},
    bodies.NoBody: {},
    bodies.SampleBody: {"sample_id": "none"},
    bodies.CompleteBody: {"sample_id": "none"},
    bodies.BenchmarkingBody: {"stages": ["csv"]},
}
"""The least that a body has to hold."""


def each(wanted: Callable[[Operation], bool]) -> pytest.MarkDecorator:
    """The test for these operations: `route`, `method`."""
    found = [
        pytest.param(route, method, id=f"{method} {route.path}")
        for route in ROUTES
        for method, operation in route.operations.items()
        if wanted(operation)
    ]
    return pytest.mark.parametrize(("route", "method"), found)


def address(route: Route, query: str = "") -> str:
    path = route.template.removeprefix("/").format(**NOWHERE)
    return f"{path}{query}"


def json_body(operation: Operation) -> bool:
    return operation.body is not None and operation.media == bodies.JSON


@each(lambda operation: not operation.public)
def test_nobody_is_answered(anonymous: Api, route: Route, method: str) -> None:
    assert anonymous.ask(method, address(route)).status_code == 401


@each(lambda operation: not operation.public)
def test_nothing_without_a_role(not_allowed: Api, route: Route, method: str) -> None:
    assert not_allowed.ask(method, address(route)).status_code == 403


@each(lambda operation: operation.needs == OPERATE)
def test_viewers_change_nothing(looks: Api, route: Route, method: str) -> None:
    answer = looks.ask(method, address(route))
    assert answer.status_code == 403
    assert OPERATE in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("route", "method"),
    [
        pytest.param(route, method, id=f"{method} {route.path}")
        for route in ROUTES
        for method in METHODS
        if method not in route.operations
    ],
)
def test_other_methods(operates: Api, route: Route, method: str) -> None:
    answer = operates.ask(method, address(route))
    assert answer.status_code == 405
    assert answer.headers["Allow"] == ", ".join(route.methods)


@each(lambda _operation: True)
def test_a_query_that_is_not_known(operates: Api, route: Route, method: str) -> None:
    answer = operates.ask(method, address(route, "?nonsense=1"))
    assert answer.status_code == 400
    assert "nonsense" in answer.json()["error"]["fields"]


@pytest.mark.parametrize(
    "route",
    [
        pytest.param(route, id=route.path)
        for route in ROUTES
        if any(converter in ("text", "file") for _name, converter in route.names)
    ],
)
def test_no_name_holds_nul(operates: Api, route: Route) -> None:
    path = address(route).replace("none", "%00").replace("0" * 32, "%00")
    answer = operates.ask(next(iter(route.operations)), path.replace("alig", "%00"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert "openapi.json" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("samples?q=%00", "q"),
        ("runs?sample=%00", "sample"),
        ("metrics/qc?metric=a%00", "metric"),
        ("metrics/small-variants?subset=%00", "subset"),
        ("runs/00000000-0000-0000-0000-000000000000/logs?search=%00", "search"),
        ("runs/00000000-0000-0000-0000-000000000000/logs?level=info,%00", "level"),
    ],
)
def test_no_question_holds_nul(looks: Api, path: str, field: str) -> None:
    answer = looks.ask("GET", path)
    assert answer.status_code == 400
    assert "NUL" in answer.json()["error"]["fields"][field][0]


def test_no_body_holds_nul(operates: Api) -> None:
    body = {"sample_id": "a", "source": "path", "path": "/data/\0", "url": ["\0"]}
    answer = operates.ask("POST", "runs", body)
    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == ["path", "url"]


@each(json_body)
def test_a_field_that_is_not_known(operates: Api, route: Route, method: str) -> None:
    answer = operates.ask(method, address(route), {"nonsense": 1})
    assert answer.status_code == 400
    assert "nonsense" in answer.json()["error"]["fields"]


@each(json_body)
@pytest.mark.parametrize(
    ("sent", "media", "status"),
    [("{", "application/json", 400), ("a=b", "text/plain", 415)],
)
def test_a_body_that_cannot_be_read(
    operates: Api, route: Route, method: str, sent: str, media: str, status: int
) -> None:
    answer = operates.ask(method, address(route), sent, content_type=media)
    assert answer.status_code == status


@each(lambda operation: 404 in operation.refusals)
def test_what_is_not_there(operates: Api, route: Route, method: str) -> None:
    operation = route.operations[method]
    if operation.media == bodies.JSON:
        answer = operates.ask(method, address(route), ENOUGH[operation.body])
    else:
        query, media = "?offset=0", operation.media
        answer = operates.ask(method, address(route, query), "x", content_type=media)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
