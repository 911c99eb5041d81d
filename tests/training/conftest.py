"""Requests for small trials, and what a trial leaves that must repeat to the last digit."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reid_search.records import TrialFolder
from reid_search.study import TrialConfig
from reid_search.training import TrialRequest


@pytest.fixture
def request_of(cache: Path, trial_content: Callable[..., dict[str, Any]]) -> Callable[..., TrialRequest]:
    """Make a request; `over` replaces entries of the trial's config."""

    def make(seed: int = 1, keep: bool = True, evaluate: tuple[str, ...] = ("test",), **over: Any) -> TrialRequest:
        config = TrialConfig.model_validate(trial_content(**over))
        return TrialRequest(config, seed, "0" * 16, evaluate, cache=cache, keep_checkpoint=keep)

    return make


@pytest.fixture
def measurements() -> Callable[[TrialFolder], dict[str, Any]]:
    """Return everything that a trial measured, without times and places."""

    def read(folder: TrialFolder) -> dict[str, Any]:
        record = json.loads((folder.path / "record.json").read_text())
        del record["context"]
        queries = {path.parent.name: path.read_bytes() for path in folder.path.glob("readouts/*/per_query.parquet")}
        return {"epochs": (folder.path / "epochs.jsonl").read_text(), "record": record, "per_query": queries}

    return read
