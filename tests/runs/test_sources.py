"""The bucket of the settings: what is said when it lists nothing, slowly or not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from runs.sources import Manner, S3Folder
from runs.transfers.base import TransferCancelled, TransferError
from tests.transfers.conftest import QUICK
from tests.transfers.servers import Handler, Site, serving

EMPTY = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
LIMITS = replace(QUICK, read_timeout=5, attempts=1)


class Bucket:
    """Holds nothing; the list of all samples comes when `released`, if at all."""

    def __init__(self) -> None:
        self.asked, self.released = threading.Event(), threading.Event()
        self.refuses = False

    def answer(self, request: Handler, _data: bytes) -> bool:
        [prefix] = parse_qs(urlsplit(request.path).query)["prefix"]
        if prefix.count("/") > 1:
            return request.answer(200, EMPTY)
        self.asked.set()
        self.released.wait(2)
        if self.refuses:
            return request.answer(403)
        return request.answer(200, EMPTY)


@pytest.fixture
def bucket(configure: Callable[..., None]) -> Iterator[Bucket]:
    bucket = Bucket()
    with serving(Site(faults={"/lab": bucket.answer})) as url:
        configure(
            s3_bucket="lab",
            s3_prefix="vcfs",
            s3_endpoint=url,
            s3_region="us-east-1",
            s3_anonymous=True,
        )
        yield bucket
        bucket.released.set()


def test_a_cancel_does_not_wait_for_the_list_of_samples(bucket: Bucket) -> None:
    folder = S3Folder("S1", None, LIMITS)
    manner = Manner(lambda *_: None, bucket.asked.is_set)
    with pytest.raises(TransferCancelled):
        folder.offers(manner)
    assert not bucket.released.is_set()


@pytest.mark.parametrize(
    ("refuses", "more"), [(True, ""), (False, " No sample is there.")]
)
def test_what_was_not_found_is_said_though_samples_cannot_be_listed(
    bucket: Bucket, refuses: bool, more: str
) -> None:
    bucket.refuses = refuses
    bucket.released.set()
    with pytest.raises(TransferError) as told:
        S3Folder("S1", None, LIMITS).offers(Manner(lambda *_: None, lambda: False))
    assert told.value.sentence == (
        "No files of S1 were found in s3://lab/vcfs, looked for by the layout "
        f"{S3Folder('S1', None).store.settings.layout}.{more}"
    )
