"""The one shape of an error: `{"error": {"code", "message", "fields"}}`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views import defaults

from runs.database import AWAY

logger = logging.getLogger(__name__)

AWAY_SECONDS = "5"
"""When to ask again while the database is away."""


class ApiError(Exception):
    """A request that is answered with an error; the message is a sentence."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        fields: Mapping[str, list[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = dict(fields or {})
        self.headers = dict(headers or {})

    def response(self) -> JsonResponse:
        error = {"code": self.code, "message": self.message, "fields": self.fields}
        return JsonResponse({"error": error}, status=self.status, headers=self.headers)


def bad_input(fields: Mapping[str, list[str]]) -> ApiError:
    """Every fault of a request at once, by the name of the field."""
    names = ", ".join(fields)
    return ApiError(
        400, "bad_input", f"The request cannot be used. See: {names}.", fields=fields
    )


def bad_field(name: str, message: str) -> ApiError:
    return bad_input({name: [message]})


def not_found(message: str) -> ApiError:
    return ApiError(404, "not_found", message)


def conflict(message: str) -> ApiError:
    return ApiError(409, "conflict", message)


def too_large(message: str) -> ApiError:
    return ApiError(413, "too_large", message)


def away(error: Exception) -> ApiError:
    logger.warning("The database did not answer: %s", error)
    return ApiError(
        503,
        "database_away",
        "The database does not answer at the moment. Nothing was changed; try again.",
        headers={"Retry-After": AWAY_SECONDS},
    )


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Django's handler for what went wrong unforeseen; JSON below `/api/`."""
    if not request.path.startswith("/api/"):
        return defaults.server_error(request)
    error = sys.exc_info()[1]
    if isinstance(error, AWAY):
        return away(error).response()
    return ApiError(
        500,
        "server_error",
        "VCBench itself failed. The cause is in the log of the server; please "
        "report it.",
    ).response()
