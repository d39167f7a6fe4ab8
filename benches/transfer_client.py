"""The process of `benches.transfer` that brings files as the portal does.

    python benches/transfer_client.py ENDPOINT SUMS FOLDER {checksum-header,sha256,md5}

Lists the bucket `bench`, brings everything into the folder, verified by the headers of
the server or by the checksums of the JSON file SUMS, and prints the seconds since its
modules were loaded. It ends as the child of a worker does, which takes no interpreter
down.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from runs.transfers.base import Limits
from runs.transfers.fetch import Job, fetch_all
from runs.transfers.s3 import S3Settings, S3Store


def main(endpoint: str, sums: Path, out: Path, proof: str) -> None:
    started = time.perf_counter()
    store = S3Store(
        S3Settings(
            "bench", endpoint_url=endpoint, anonymous=True, addressing_style="path"
        )
    )
    files = list(store.objects(""))
    if proof != "checksum-header":
        known = json.loads(sums.read_text())
        files = [replace(file, **{proof: known[file.name][proof]}) for file in files]
    jobs = [Job(file, out / file.name) for file in files]
    got = fetch_all(store, jobs, limits=Limits(backoff=0.05, attempts=20))
    unproven = [file.path.name for file in got if file.verified_by != proof]
    if unproven or len(got) != len(jobs):
        raise SystemExit(f"not verified: {unproven}")
    print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
    os._exit(0)
