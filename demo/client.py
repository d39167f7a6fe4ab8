"""The REST interface, as automation would use it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import urllib3

ENDED = ("completed", "error", "cancelled")
PAUSE = 0.4
"""Seconds between looks at the log."""


class Answered(Exception):
    """The portal said no."""


@dataclass(slots=True)
class Api:
    """`address` is the portal's, without a path."""

    address: str
    token: str
    _http: urllib3.PoolManager = field(default_factory=urllib3.PoolManager)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON that is answered. Raises `Answered`."""
        answer = self._http.request(
            method,
            f"{self.address}/api/v1/{path}",
            headers={"Authorization": f"Bearer {self.token}"},
            **({} if body is None else {"json": body}),
        )
        if answer.status >= 400:
            raise Answered(
                f"{method} {path}: {answer.status} {answer.data.decode()[:500]}"
            )
        return answer.json()

    def import_sample(self, sample: str, stages: list[str]) -> str:
        """Import from S3; the run's id."""
        body = {"sample_id": sample, "stages": stages, "auto_process": True}
        return str(self.ask("POST", "upload/aws", body)["run"])

    def lines(self, sample: str, silence: float) -> Iterator[dict[str, Any]]:
        """Every line of the newest run's log, until it has ended.

        Raises `Answered` after `silence` seconds without a line.
        """
        since, heard = 0, time.monotonic()
        while True:
            page = self.ask("GET", f"download/logs/{sample}?since={since}")
            yield from page["logs"]
            since = page["next"]
            if page["status"] in ENDED and since >= page["last_sequence"]:
                return
            if page["logs"]:
                heard = time.monotonic()
                continue
            if time.monotonic() - heard > silence:
                raise Answered(
                    f"The run of {sample} is {page['status']} and said nothing for "
                    f"{silence:.0f} s."
                )
            time.sleep(PAUSE)
