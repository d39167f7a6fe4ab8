from __future__ import annotations

from pathlib import Path

import pytest

from demo import lab


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> lab.Lab:
    return lab.build(tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="session")
def sample(made: lab.Lab) -> Path:
    return made.samples / "NA24143_Lib3_Rep1"
