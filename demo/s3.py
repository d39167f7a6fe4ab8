"""An S3 service on loopback, by moto's server, with the laboratory's bucket."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import urllib3

from vcbench_site.embedded.ports import free_port
from vcbench_site.embedded.processes import Child, Children
from vcbench_site.embedded.waiting import until

HOST = "127.0.0.1"
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
        """Store a file of that sample's analysis, as S3 would; returns the key."""
        name = name or file.name
        key = f"{PREFIX}/{sample}/vcf/dragen/{id}/varcaller/{name}"
        self.client.put_object(
            Bucket=BUCKET,
            Key=key,
            Body=file.read_bytes(),
            ChecksumAlgorithm="CRC64NVME",
        )
        return key

    def put_folder(self, sample: str, folder: Path, *, id: str) -> None:
        for file in sorted(folder.iterdir()):
            self.put(sample, file, id=id)


@contextmanager
def serving(folder: Path) -> Iterator[Bucket]:
    """Serve the bucket on a free port, empty at first; `folder` is for the log.

    In a process of its own: moto keeps its buckets in the process, and whoever plays
    S3 in this one would share them.
    """
    port = free_port(HOST)
    endpoint = f"http://{HOST}:{port}"
    with Children() as children:
        child = Child(
            "The S3 service",
            [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(port)],
            environment=os.environ,
            log=folder / "s3.log",
        )
        until(partial(_answers, endpoint), children.add(child))
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


def _answers(endpoint: str) -> bool:
    try:
        urllib3.request("GET", endpoint, retries=False, timeout=2)
    except urllib3.exceptions.HTTPError:
        return False
    return True
