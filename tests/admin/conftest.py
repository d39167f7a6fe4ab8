from __future__ import annotations

from tests.queues import sent as sent
