"""The demo's user and token; called inside the portal's own settings."""

from __future__ import annotations

import secrets
import sys

NAME = "demo"


def make() -> None:
    """Write name, password and token of a new administrator, one a line."""
    from django.contrib.auth.models import User

    from runs.models import ApiToken

    password = secrets.token_urlsafe(9)
    user = User.objects.create_superuser(NAME, password=password)
    _token, key = ApiToken.issue(user, "make demo")
    sys.stdout.write(f"{NAME}\n{password}\n{key}\n")
