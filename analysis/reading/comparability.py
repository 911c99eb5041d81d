"""What makes two measurements comparable: the same images, split and rules, the same knowledge, and like code.

Numbers under different protocols are never compared. The rules that all measurements of this release share (`RULES`)
are part of the fingerprint, so that a table from another release is not mistaken for one of this.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from reid_search.records import Status
from reid_search.study import MARKET_RULE

from .code import CODE_FIELDS

FIELDS = ("evaluate", "data_fingerprint", "transductive", "rule", "privileged", *CODE_FIELDS)
_USUAL = {"rule": str(MARKET_RULE), "privileged": "none"}  # which a fingerprint does not mention
_UNKNOWN = "unknown"  # of the code that an earlier release did not note
RULES: Mapping[str, str] = {
    "left_out": "junk, and the query's identity in the query's camera",  # unless a measurement has another rule
    "average_precision": "rectangular",
    "queries": "single",  # unless its rule says multi-query
}

_DIGITS = 8
_ROUNDING = 1e-9  # of weights such as thirds


@dataclass(frozen=True)
class Difference:
    """A field of the protocol (one of `FIELDS`) that is `found` in one arm and `expected` from another."""

    field: str
    arm: str
    found: object
    other: str
    expected: object

    def __str__(self) -> str:
        if self.arm == self.other:
            return f"{self.field}: arm '{self.arm}' has '{self.expected}' and, in other seeds, '{self.found}'"
        return f"{self.field}: arm '{self.arm}' has '{self.found}' and '{self.other}' has '{self.expected}'"


def fingerprint_of(measured: Mapping[str, object]) -> str:
    """Return 8 hex digits that are equal for measurements with the same `FIELDS`, that is, under one protocol."""
    fields = {name: measured.get(name) for name in FIELDS}
    fields = {name: value for name, value in fields.items() if not _is_usual(name, value)}
    text = json.dumps({"fields": fields, "rules": dict(RULES)}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _is_usual(field: str, value: object) -> bool:
    """Say whether a fingerprint does not mention a value: as usual, or code that nobody noted."""
    return value == _USUAL[field] if field in _USUAL else field in CODE_FIELDS and (not value or value != value)


def differences(rows: pd.DataFrame, arm: str) -> list[Difference]:
    """Return each field in which a measurement differs from the first one of an arm; empty if all are comparable.

    Args:
        rows: Rows of `load_arms`; unfinished ones, absent fields and missing values are ignored, but code that is not
            known is another than any that is.
        arm: The arm to compare with.
    """
    measured = rows[rows["status"] == Status.FINISHED] if "status" in rows.columns else rows
    found = (_difference(measured, name, arm) for name in FIELDS if name in measured.columns)
    return [difference for difference in found if difference is not None]


def _difference(rows: pd.DataFrame, field: str, arm: str) -> Difference | None:
    if field == "code" and rows[field].notna().any():
        rows = rows.assign(code=rows[field].fillna(_UNKNOWN))
    known = rows[rows[field].notna()]
    expected = next(iter(known.loc[known["arm"] == arm, field]), None)
    unlike = known[known[field] != expected]
    if expected is None or unlike.empty:
        return None
    return Difference(field, str(unlike.iloc[0]["arm"]), unlike.iloc[0][field], arm, expected)


def protocols_of(rows: pd.DataFrame) -> dict[str, list[str]]:
    """Return the protocols of each arm with a finished row: one, unless its data changed between seeds."""
    measured = rows[(rows["status"] == Status.FINISHED) & rows["protocol"].notna()]
    found = measured.groupby("arm", sort=False)["protocol"].unique()
    return {str(arm): list(protocols) for arm, protocols in found.items()}


def is_within_protocols(weights: Mapping[str, float], protocols: Mapping[str, Sequence[str]]) -> bool:
    """Say whether a weighted sum of arms only compares numbers under the same protocol.

    It does if the weights of each protocol sum to 0: a difference of differences may span two data sets if each
    difference stays within one. `protocols` comes from `protocols_of` and has every arm of `weights`.
    """
    sums: dict[str, float] = {}
    for arm, weight in weights.items():
        if len(protocols[arm]) > 1:
            return False
        sums[protocols[arm][0]] = sums.get(protocols[arm][0], 0.0) + weight
    return all(abs(total) <= _ROUNDING for total in sums.values())
