"""A record of a trial that never ran."""

from collections.abc import Callable
from typing import Any

import pytest

from reid_search.records import ReadoutResult, Record, RunContext


@pytest.fixture
def record() -> Callable[..., Record]:
    """Make a finished record with some fields changed."""

    def make(**changes: Any) -> Record:
        readout = ReadoutResult(
            config={"taps": ["reduced"]},
            dim=64,
            metrics={"test/mAP": 0.1 + 0.2, "test/queries_without_match": 3},
            cmc={"test": [0.5, 1 / 3]},
        )
        fields: dict[str, Any] = {
            "key": "0123456789abcdef",
            "seed": 1,
            "status": "finished",
            "config": {"model": {"architecture": "mgn", "strides": {"1": 2}}, "none": None},
            "data_fingerprint": "f" * 16,
            "device_type": "cpu",
            "images_seen": 320,
            "parameters": {"model": 10, "losses": 2},
            "macs": 1000,
            "readouts": {"default": readout},
            "context": RunContext(seconds=1.5, host="h", device="cpu", versions={"torch": "2"}, ended="2026-01-01"),
        }
        return Record(**{**fields, **changes})

    return make
