"""What tests of several rooms share: one cache of made data for the whole session, and a small trial."""

import os
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("patient", deadline=None)  # what a machine does beside the tests is no failure of theirs
settings.load_profile("patient")

os.environ.setdefault("OMP_NUM_THREADS", "1")

Config = dict[str, Any]
STORES = Path(__file__).parent / "stores"


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The cache folder of this session, also for the processes that tests start."""
    folder = tmp_path_factory.mktemp("cache")
    before = os.environ.get("REID_SEARCH_CACHE")
    os.environ["REID_SEARCH_CACHE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["REID_SEARCH_CACHE"]
    else:
        os.environ["REID_SEARCH_CACHE"] = before


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes every file look old enough for its hash to be remembered, which a real one is after two seconds."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 10 * 10**9)


@pytest.fixture
def trial_content() -> Callable[..., Config]:
    """Plain data of a trial that trains in about a second: two branches, four steps of 12 images, two epochs."""

    def content(**over: Any) -> Config:
        small: Config = {
            "data": {"name": "synthetic", "preset": "tiny", "image_size": [32, 16], "holdout": 0.25},
            "model": {"architecture": "mgn", "backbone": "resnet10_thin", "parts": [1, 2], "embedding_dim": 64},
            "training": {"images": 48, "report_every": 24, "batch": {"ids": 4, "per_id": 3}},
        }
        return {**small, **over}

    return content


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """The folder of a small study as the code before the typed log wrote it: every kind of phase, run three times.

    Its space changed before the last run; arms share trainings; a claim's seeds were raised. Checkpoints are left out.
    `tests/stores/` holds the study file and the tables that the code of that time made of it.
    """
    with tarfile.open(STORES / "before.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "before"
