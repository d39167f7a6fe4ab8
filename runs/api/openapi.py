"""The OpenAPI document, made from the table of routes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from pydantic import BaseModel, TypeAdapter

from runs.api import answers, bodies
from runs.api.routing import PARAMETERS, Operation, Route, View
from runs.roles import OPERATE

REF = "#/components/schemas/{model}"
FORMATS = {
    "uuid": {"type": "string", "format": "uuid"},
    "text": {"type": "string"},
    "file": {"type": "string"},
}
ABOUT = """Imports samples, follows their runs and reads their numbers.

Send a token as `Authorization: Bearer <token>`; a signed-in browser sends its session
and, with every write, its CSRF token in `X-CSRFToken`. Errors have one shape, `Error`:
`fields` names every fault of the request at once. Lists are paged: ask again with
`cursor` set to `next` until that is null."""


def serving(routes: Sequence[Route]) -> View:
    """The view that answers the document of these routes."""

    @cache
    def text() -> bytes:
        return json.dumps(document(routes), ensure_ascii=False).encode()

    def openapi(request: HttpRequest) -> HttpResponseBase:
        return HttpResponse(text(), content_type="application/json")

    return openapi


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The whole description, in the words of OpenAPI 3.1."""
    schemas = _schemas(routes)
    return {
        "openapi": "3.1.0",
        "info": {"title": "VCBench", "version": "1", "description": ABOUT},
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}, {"session": []}],
        "tags": [{"name": name} for name in dict.fromkeys(r.tag for r in routes)],
        "paths": {route.template: _path(route, schemas) for route in routes},
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
            },
        },
    }


def _schemas(routes: Sequence[Route]) -> dict[str, Any]:
    """The schemas of all bodies and answers, by name."""
    operations = [each for route in routes for each in route.operations.values()]
    taken = [each.body for each in operations] + [each.query for each in operations]
    given: list[Any] = [answers.Error]
    given += [answer for each in operations for answer in each.answers.values()]
    inputs: list[Any] = [
        (model, "validation", TypeAdapter(model))
        for model in dict.fromkeys(taken)
        if model is not None
    ]
    outputs: list[Any] = [
        (model, "serialization", TypeAdapter(model))
        for model in dict.fromkeys(each for each in given if isinstance(each, type))
    ]
    _refs, found = TypeAdapter.json_schemas(inputs + outputs, ref_template=REF)
    schemas: dict[str, Any] = found["$defs"]
    return schemas


def _path(route: Route, schemas: Mapping[str, Any]) -> dict[str, Any]:
    named = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": PARAMETERS[name],
            "schema": FORMATS[converter],
        }
        for name, converter in route.names
    ]
    operations = {
        method.lower(): _operation(route, method, operation, schemas)
        for method, operation in route.operations.items()
    }
    return {**({"parameters": named} if named else {}), **operations}


def _operation(
    route: Route, method: str, operation: Operation, schemas: Mapping[str, Any]
) -> dict[str, Any]:
    view = operation.view
    described: dict[str, Any] = {
        "operationId": f"{method.lower()}_{view.__module__.split('.')[-1]}"
        f"_{view.__name__}",
        "summary": operation.summary,
        "tags": [route.tag],
        "responses": dict(_responses(operation)),
    }
    if operation.public:
        described["security"] = []
    elif operation.needs == OPERATE:
        described["description"] = "For operators."
    if operation.query is not None:
        described["parameters"] = list(_query(operation.query, schemas))
    if body := _body(operation, schemas):
        described["requestBody"] = body
    return described


def _query(model: type[BaseModel], schemas: Mapping[str, Any]) -> Iterator[Any]:
    schema = schemas[model.__name__]
    for name, each in schema["properties"].items():
        yield {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", []),
            "description": each.get("description", ""),
            "schema": {k: v for k, v in each.items() if k != "description"},
        }


def _body(operation: Operation, schemas: Mapping[str, Any]) -> dict[str, Any] | None:
    if operation.media == "application/octet-stream":
        return {"required": True, "content": {operation.media: {}}}
    if operation.body is None or operation.body is bodies.NoBody:
        return None
    schema: Any = {"$ref": REF.format(model=operation.body.__name__)}
    if operation.media == bodies.MULTIPART:
        schema = _with_file(schemas[operation.body.__name__])
    return {"required": True, "content": {operation.media: {"schema": schema}}}


def _with_file(schema: Mapping[str, Any]) -> dict[str, Any]:
    file = {"type": "string", "contentMediaType": "application/zip"}
    return {
        **schema,
        "properties": {**schema["properties"], "file": file},
        "required": [*schema["required"], "file"],
    }


def _responses(operation: Operation) -> Iterator[tuple[str, Any]]:
    for status, answer in operation.answers.items():
        yield str(status), _response(status, answer)
    refusals = {400, *operation.refusals}
    if not operation.public:
        refusals |= {401, 403}
    if operation.body is not None:
        refusals |= {413, 415}
    for status in sorted(refusals):
        yield str(status), _response(status, answers.Error)
    yield (
        "default",
        {
            "description": "An error",
            "content": _content(answers.Error),
        },
    )


def _response(status: int, answer: Any) -> dict[str, Any]:
    described: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if answer is not None:
        described["content"] = _content(answer)
    return described


def _content(answer: Any) -> dict[str, Any]:
    if isinstance(answer, str):
        return {answer: {}}
    if not isinstance(answer, type):
        return {"application/json": {"schema": {"type": "object"}}}
    return {"application/json": {"schema": {"$ref": REF.format(model=answer.__name__)}}}
