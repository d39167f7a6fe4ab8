"""Who may see a page. Everyone signed in may read their own account page; the rest
asks for a permission, never for a role."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest

from runs.roles import OPERATE, VIEW

viewers = permission_required(VIEW, raise_exception=True)
operators = permission_required(OPERATE, raise_exception=True)


def person(request: HttpRequest) -> User:
    """The user of a page that asked for one."""
    if isinstance(request.user, AnonymousUser):
        raise TypeError("This page is for signed-in users.")
    return request.user
