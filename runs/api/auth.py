"""Who asks: the holder of a bearer token, or a session whose request is its own."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import timezone

from runs.api.errors import ApiError
from runs.models import ApiToken

SAFE = ("GET", "HEAD", "OPTIONS")
USED = timedelta(minutes=1)
"""How exactly the last use of a token is kept."""


class _CsrfCheck(CsrfViewMiddleware):
    """Django's own check, which says what is wrong instead of answering a page."""

    def _reject(self, request: HttpRequest, reason: str) -> str:
        return reason


def user_of(request: HttpRequest) -> User:
    """The user of a request, CSRF not checked yet. Raises `ApiError` 401."""
    scheme, _space, key = request.headers.get("Authorization", "").partition(" ")
    if scheme:
        return _token_user(request, scheme, key.strip())
    if isinstance(request.user, User) and request.user.is_active:
        return request.user
    raise _unauthorized(
        "Sign in, or send a token in the header “Authorization: Bearer <token>”."
    )


def _token_user(request: HttpRequest, scheme: str, key: str) -> User:
    if scheme.lower() != "bearer":
        raise _unauthorized(
            f"The scheme {scheme!r} is not known. Send “Authorization: Bearer <token>”."
        )
    token = ApiToken.holder(key)
    if token is None:
        raise _unauthorized(
            "The token is not valid: it is unknown, has expired, or its user was "
            "switched off.",
            'error="invalid_token"',
        )
    now = timezone.now()
    if token.used_at is None or token.used_at < now - USED:
        ApiToken.objects.filter(pk=token.pk).update(used_at=now)
    request.user = token.user
    request.by_token = True  # type: ignore[attr-defined]
    return token.user


def check_csrf(request: HttpRequest) -> None:
    """A session's write must come from our own pages. Raises `ApiError` 403."""
    if request.method in SAFE or getattr(request, "by_token", False):
        return
    check = _CsrfCheck(_no_response)
    check.process_request(request)
    reason = check.process_view(request, _no_response, (), {})
    if reason:
        raise ApiError(
            403,
            "csrf_failed",
            f"{reason} Send the CSRF cookie’s value in the header X-CSRFToken, or use "
            "a token.",
        )


def require(user: User, permission: str) -> None:
    """Raises `ApiError` 403."""
    if not user.has_perm(permission):
        raise ApiError(
            403,
            "forbidden",
            f"{user.get_username()} may not do this: the permission {permission} is "
            "missing. An administrator can give it.",
        )


def _unauthorized(message: str, detail: str = "") -> ApiError:
    challenge = f'Bearer realm="VCBench"{", " + detail if detail else ""}'
    return ApiError(
        401, "not_authenticated", message, headers={"WWW-Authenticate": challenge}
    )


def _no_response(request: HttpRequest) -> HttpResponse:
    return HttpResponse()
