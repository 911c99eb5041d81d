"""What makes two measurements comparable: the same images, split and rules, and distances that know as much.

Numbers under different protocols are never compared, however alike they look. What every measurement of this release
has in common (`RULES`) goes into the fingerprint too, so that a table of another release does not pass for one of this.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

FIELDS = ("evaluate", "data_fingerprint", "transductive")
RULES: Mapping[str, str] = {
    "left_out": "junk, and the query's identity in the query's camera",
    "average_precision": "rectangular",
    "queries": "single",
}

_DIGITS = 8
_ROUNDING = 1e-9  # of weights such as thirds


@dataclass(frozen=True)
class Difference:
    """A field of the protocol in which an arm differs from another.

    Attributes:
        field: One of `FIELDS`.
        arm: The arm that differs.
        found: Its value.
        other: The arm that it was to be compared with.
        expected: The value there.
    """

    field: str
    arm: str
    found: Any
    other: str
    expected: Any

    def __str__(self) -> str:
        return f"{self.field}: arm '{self.arm}' has '{self.found}' and '{self.other}' has '{self.expected}'"


def fingerprint_of(measured: Mapping[str, Any]) -> str:
    """Return 8 hex digits that are equal for measurements under the same protocol.

    Args:
        measured: The `FIELDS` of a measurement.
    """
    fields = {name: measured[name] for name in FIELDS}
    text = json.dumps({"fields": fields, "rules": dict(RULES)}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def differences(rows: pd.DataFrame, arm: str) -> list[Difference]:
    """Return each field in which a measurement is not like the first one of an arm; empty where all are comparable.

    Args:
        rows: Rows of `load_arms`; those that are not finished are not measured and do not count. A field counts where
            the table has it and a row knows it.
        arm: The arm to compare with.
    """
    measured = rows[rows["status"] == "finished"] if "status" in rows.columns else rows
    found = (_difference(measured, name, arm) for name in FIELDS if name in measured.columns)
    return [difference for difference in found if difference is not None]


def _difference(rows: pd.DataFrame, field: str, arm: str) -> Difference | None:
    known = rows[rows[field].notna()]
    expected = next(iter(known.loc[known["arm"] == arm, field]), None)
    unlike = known[known[field] != expected]
    if expected is None or unlike.empty:
        return None
    return Difference(field, str(unlike.iloc[0]["arm"]), unlike.iloc[0][field], arm, expected)


def protocols_of(rows: pd.DataFrame) -> dict[str, list[str]]:
    """Return the protocols under which each arm was measured: one, unless its data changed between seeds.

    Args:
        rows: Rows of `load_arms`; an arm without a finished one has no entry.
    """
    measured = rows[(rows["status"] == "finished") & rows["protocol"].notna()]
    found = measured.groupby("arm", sort=False)["protocol"].unique()
    return {str(arm): list(protocols) for arm, protocols in found.items()}


def is_within_protocols(weights: Mapping[str, float], protocols: Mapping[str, Sequence[str]]) -> bool:
    """Say whether a weighted sum of arms compares numbers under the same protocol alone.

    It does where the weights of each protocol sum to 0: a difference of differences may lie across two data sets if
    each difference lies within one.

    Args:
        weights: Weight of each arm.
        protocols: What `protocols_of` returned; it has each of these arms.
    """
    sums: dict[str, float] = {}
    for arm, weight in weights.items():
        if len(protocols[arm]) > 1:
            return False
        sums[protocols[arm][0]] = sums.get(protocols[arm][0], 0.0) + weight
    return all(abs(total) <= _ROUNDING for total in sums.values())
