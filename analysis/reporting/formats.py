"""How a report writes numbers. Every function writes a dash for NaN, None or `pandas.NA`."""

import re
from collections.abc import Mapping, Sequence
from typing import TypeGuard

import pandas as pd

from reid_search.study.metrics import Metric

from ..reading.measures import Row

NOTHING = "–"
_MINUS = "\N{MINUS SIGN}"
_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def known(value: object) -> TypeGuard[float]:
    """Say whether a value is not missing."""
    return value is not None and value is not pd.NA and value == value  # NaN is not itself


def percent(value: float | None, digits: int = 1) -> str:
    """Write a share of 1 in per cent, without the sign: 0.6123 as `61.2`."""
    return f"{100 * float(value):.{digits}f}" if known(value) else NOTHING


def spread(mean: float | None, deviation: float | None, digits: int = 2) -> str:
    """Write mean ± standard deviation in per cent; only the mean if there is no deviation."""
    if not known(deviation):
        return percent(mean, digits)
    return f"{percent(mean, digits)} ± {percent(deviation, digits)}"


def measured(row: Row, metric: Metric) -> str:
    """Write mean ± standard deviation of a metric from an arm's row, in its unit."""
    numbers = [row[name] for name in (metric.name, f"{metric.name}_sd") if known(row[name])]
    return " ± ".join(f"{metric.scale * float(number):.{metric.digits}f}" for number in numbers) or NOTHING


def points(value: float | None, digits: int = 2) -> str:
    """Write a difference of shares in percentage points, with its sign."""
    if not known(value):
        return NOTHING
    text = f"{100 * float(value):+.{digits}f}"
    return text.replace("-", _MINUS) if float(text) else text.lstrip("+-")


def weight(value: float | None) -> str:
    """Write the weight of an arm in a contrast: `+1`, `−0.5`; a dash for none."""
    if not known(value) or not value:
        return NOTHING
    return f"{float(value):+.3g}".replace("-", _MINUS)


def interval(low: float | None, high: float | None, digits: int = 2) -> str:
    """Write an interval of differences in points: `−0.40 to +1.20`."""
    return f"{points(low, digits)} to {points(high, digits)}" if known(low) and known(high) else NOTHING


def p_value(value: float | None) -> str:
    """Write a p value: `.012`, `< .001`, `1`."""
    if not known(value):
        return NOTHING
    if float(value) < 0.001:
        return "< .001"
    text = f"{float(value):.3f}"
    return "1" if text == "1.000" else text.lstrip("0")


def exact(value: float) -> str:
    """Write a probability that is a power of one half: `.25`, `.0625`."""
    return f"{value:.3g}".removeprefix("0")


def share(value: float | None) -> str:
    """Write a probability with two decimals."""
    return f"{float(value):.2f}" if known(value) else NOTHING


def shares(low: float | None, high: float | None) -> str:
    """Write an interval of shares of 1: `0.10 to 0.40`."""
    return f"{share(low)} to {share(high)}" if known(low) and known(high) else NOTHING


def correlation(value: float | None) -> str:
    """Write a correlation with two decimals: `.93`, `−.18`, `1.00`."""
    if not known(value):
        return NOTHING
    return re.sub(r"^(-?)0", r"\1", f"{float(value):.2f}").replace("-", _MINUS)


def amount(value: float | None) -> str:
    """Write a count with three digits: 24_558_656 as `24.6 M`, 512 as `512`."""
    if not known(value):
        return NOTHING
    number = float(value)
    for size, prefix in _PREFIXES:
        if number >= 0.9995 * size:
            scaled = number / size
            return f"{scaled:.{max(0, 3 - len(str(int(scaled + 0.0005))))}f} {prefix}"
    return f"{number:.0f}"


def duration(value: float | None) -> str:
    """Write seconds as `45 s`, `3 min 20 s`, `2 h 05 min`."""
    if not known(value):
        return NOTHING
    if float(value) < 10:
        return f"{float(value):.1f} s"
    seconds = round(float(value))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min"


def settings(levels: Mapping[str, object]) -> str:
    """Write settings as `model.parts = [1, 2], losses.triplet.margin = 1.2`."""
    return ", ".join(f"{path} = {level}" for path, level in levels.items())


def listed(words: Sequence[str]) -> str:
    """Write words as a list: `a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
