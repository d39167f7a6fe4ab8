"""An S3 service on loopback, by moto's server, with the laboratory's bucket."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

BUCKET = "demo-lab"
PREFIX = "demo"
REGION = "ca-central-1"
KEYS = {"AWS_ACCESS_KEY_ID": "demo", "AWS_SECRET_ACCESS_KEY": "demo"}


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket in the default layout of VCBENCH_S3_LAYOUT."""

    endpoint: str
    client: Any

    @property
    def settings(self) -> dict[str, str]:
        """The environment of a portal that imports from here."""
        return {
            "VCBENCH_S3_BUCKET": BUCKET,
            "VCBENCH_S3_PREFIX": PREFIX,
            "VCBENCH_S3_ENDPOINT": self.endpoint,
            "VCBENCH_S3_REGION": REGION,
            **KEYS,
        }

    def put(self, sample: str, file: Path, *, id: str, name: str | None = None) -> str:
        """Store a file of that sample's analysis; returns the key."""
        name = name or file.name
        key = f"{PREFIX}/{sample}/vcf/dragen/{id}/varcaller/{name}"
        self.client.put_object(Bucket=BUCKET, Key=key, Body=file.read_bytes())
        return key

    def put_folder(self, sample: str, folder: Path, *, id: str) -> None:
        for file in sorted(folder.iterdir()):
            self.put(sample, file, id=id)


@contextmanager
def serving() -> Iterator[Bucket]:
    """Serve the bucket on a free port, empty at first."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        )
        client.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield Bucket(endpoint, client)
    finally:
        server.stop()
