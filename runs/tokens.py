"""Tokens of the REST interface."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ApiToken(models.Model):
    """A bearer token of the REST interface. Only its digest is kept."""

    PREFIX: ClassVar[str] = "vcb_"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(_("name"), max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["user", "name"]

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def digest_of(key: str) -> str:
        return hashlib.sha256(key.encode()).hexdigest()

    @classmethod
    def issue(
        cls, user: Any, name: str, *, expires_at: datetime | None = None
    ) -> tuple[ApiToken, str]:
        """A new token and its key; the key can be read this once."""
        key = cls.PREFIX + secrets.token_urlsafe(32)
        token = cls.objects.create(
            user=user, name=name, digest=cls.digest_of(key), expires_at=expires_at
        )
        return token, key

    @classmethod
    def holder(cls, key: str) -> ApiToken | None:
        """The valid token with this key, with its active user."""
        return (
            cls.objects.select_related("user")
            .filter(digest=cls.digest_of(key), user__is_active=True)
            .filter(models.Q(expires_at=None) | models.Q(expires_at__gt=Now()))
            .first()
        )
