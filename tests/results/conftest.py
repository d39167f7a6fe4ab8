"""The browsers of the portal's tests."""

from __future__ import annotations

from tests.portal.conftest import (
    anonymous,
    looks,
    not_allowed,
    operates,
    sent,
)

__all__ = [
    "anonymous",
    "looks",
    "not_allowed",
    "operates",
    "sent",
]
