"""Transfers: files from S3, HTTPS, archives and paths; resumable, verified, atomic.

Knows no Django and no models.
"""

from __future__ import annotations
