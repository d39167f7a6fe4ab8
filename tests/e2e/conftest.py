from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e import laboratory
from tests.e2e.laboratory import Laboratory


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """A portal over the real cases, with real processes for every part."""
    with laboratory.running(tmp_path_factory.mktemp("lab")) as lab:
        yield lab
