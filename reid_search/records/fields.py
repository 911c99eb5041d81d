"""Kinds of fields that the log and the records share, with their bounds: anything outside is refused on reading."""

import re
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from reid_search.study.metrics import metric_of

_BESIDE = re.compile(r"_(chance|untrained)$")  # of the same metric: a random ranking, the network before training
_ROUNDING = 1e-6  # a mean of shares may exceed 1 by that much


def _iso_time(text: str) -> str:
    if text:
        datetime.fromisoformat(text).timestamp()
    return text


def _in_range(metrics: dict[str, float]) -> dict[str, float]:
    for column, value in metrics.items():
        metric = metric_of(_BESIDE.sub("", column))
        if metric and not metric.range[0] - _ROUNDING <= value <= metric.range[1] + _ROUNDING:
            raise ValueError(f"'{column}' is {value}; it lies in {metric.range}")
    return metrics


Count = Annotated[int, Field(ge=0, lt=2**63)]  # what tables and MLflow hold
IsoTime = Annotated[str, AfterValidator(_iso_time)]
Key = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]*$")]  # names a folder, so it holds no path
Measurements = Annotated[dict[str, float], AfterValidator(_in_range)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1 + _ROUNDING)]
