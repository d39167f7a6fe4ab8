"""The people and browsers of the portal's tests."""

from __future__ import annotations

from tests.portal.conftest import (
    anonymous,
    looks,
    not_allowed,
    operates,
    operator,
    sent,
    stranger,
    viewer,
)

__all__ = [
    "anonymous",
    "looks",
    "not_allowed",
    "operates",
    "operator",
    "sent",
    "stranger",
    "viewer",
]
