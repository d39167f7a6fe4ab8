"""One table of routes, from which the addresses and the OpenAPI document are made.

A view is a plain function that takes the request and what its address names. What it
declares besides (`body`, `query`) is parsed and checked before it is called, and given
to it under these names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt
from pydantic import BaseModel

from runs.api import auth, bodies, errors
from runs.api.errors import ApiError
from runs.database import AWAY
from runs.lifecycle import Refused
from runs.roles import VIEW

View = Callable[..., HttpResponseBase]
PARAMETER = re.compile(r"<(?:(?P<converter>\w+):)?(?P<name>\w+)>")
GROUPS = ("upload", "download", "runs", "metrics")
PARAMETERS = {
    "run_id": "The run, by its UUID.",
    "sample_id": "The sample, e.g. NA24143_Lib3_Rep1; its newest run counts.",
    "upload_id": "The upload, as its beginning answered.",
    "part": "`alignment` or `index`.",
    "name": "The file by its name, which may hold slashes.",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """What one method does at one address.

    `answers` maps a status to what is answered: a TypedDict, or a media type for what
    is no JSON. `media` is how the body comes; `prepare` is called before it is read,
    and `undo` if the request is refused after that. A `public` operation needs nobody
    signed in.
    """

    view: View
    summary: str
    answers: Mapping[int, Any]
    needs: str = VIEW
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    media: str = "application/json"
    prepare: Callable[[HttpRequest], None] | None = None
    undo: Callable[[HttpRequest], None] | None = None
    refusals: tuple[int, ...] = ()
    public: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """An address below `/api/v1/`, in Django's notation, and its methods."""

    path: str
    operations: Mapping[str, Operation]

    @property
    def methods(self) -> list[str]:
        head = ["HEAD"] if "GET" in self.operations else []
        return [*self.operations, *head, "OPTIONS"]

    @property
    def tag(self) -> str:
        """The group of the address, for the OpenAPI document."""
        first = self.path.partition("/")[0]
        return first if first in GROUPS else "catalogue"

    @property
    def template(self) -> str:
        """The address in OpenAPI's notation."""
        return "/" + PARAMETER.sub(r"{\g<name>}", self.path)

    @property
    def names(self) -> list[tuple[str, str]]:
        """The parameters of the address: name and converter."""
        return [
            (match["name"], match["converter"] or "str")
            for match in PARAMETER.finditer(self.path)
        ]

    def pattern(self) -> URLPattern:
        name = "api-" + re.sub(r"[^a-z]+", "-", PARAMETER.sub("", self.path)).strip("-")
        return path(self.path, endpoint(self), name=name)


def endpoint(route: Route) -> View:
    """The Django view of all methods of a route; every error is JSON."""

    @csrf_exempt
    @login_not_required
    def view(request: HttpRequest, **named: Any) -> HttpResponseBase:
        try:
            return _answer(route, request, named)
        except ApiError as error:
            return error.response()
        except Refused as refused:
            return errors.conflict(str(refused)).response()
        except AWAY as error:
            return errors.away(error).response()

    return view


def _answer(
    route: Route, request: HttpRequest, named: dict[str, Any]
) -> HttpResponseBase:
    method = "GET" if request.method == "HEAD" else request.method or ""
    if method == "OPTIONS":
        return HttpResponse(status=204, headers={"Allow": ", ".join(route.methods)})
    operation = route.operations.get(method)
    if operation is None:
        raise _not_allowed(route, method)
    if not operation.public:
        auth.require(auth.user_of(request), operation.needs)
    if operation.prepare is not None:
        operation.prepare(request)
    try:
        response = _carry_out(operation, request, named)
    except BaseException:
        if operation.undo is not None:
            operation.undo(request)
        raise
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _carry_out(
    operation: Operation, request: HttpRequest, named: dict[str, Any]
) -> HttpResponseBase:
    auth.check_csrf(request)
    query = bodies.read_query(request, operation.query or bodies.NoBody)
    if operation.query is not None:
        named["query"] = query
    if operation.body is not None:
        named["body"] = bodies.read(request, operation.body, operation.media)
    return operation.view(request, **named)


def _not_allowed(route: Route, method: str) -> ApiError:
    allowed = ", ".join(route.methods)
    return ApiError(
        405,
        "method_not_allowed",
        f"{method} cannot be used here. This address takes {allowed}.",
        headers={"Allow": allowed},
    )


@csrf_exempt
@login_not_required
def unknown(request: HttpRequest, rest: str = "") -> JsonResponse:
    """Every address below `/api/` that is not in the table."""
    return errors.not_found(
        f"There is nothing at {request.path}. All addresses are listed in "
        "/api/v1/openapi.json."
    ).response()
