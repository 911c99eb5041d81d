import math

import pandas as pd
import pytest

from analysis.reporting import formats


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (formats.percent, 0.6123, "61.2"),
        (formats.percent, 1.0, "100.0"),
        (formats.points, 0.0123, "+1.23"),
        (formats.points, -0.0123, "−1.23"),
        (formats.points, -0.00001, "0.00"),
        (formats.p_value, 0.0123, ".012"),
        (formats.p_value, 0.00099, "< .001"),
        (formats.p_value, 0.9999, "1"),
        (formats.p_value, 0.0, "< .001"),
        (formats.exact, 0.25, ".25"),
        (formats.exact, 0.0625, ".0625"),
        (formats.exact, 1.0, "1"),
        (formats.share, 1 / 3, "0.33"),
        (formats.amount, 0, "0"),
        (formats.amount, 512, "512"),
        (formats.amount, 999, "999"),
        (formats.amount, 1_000, "1.00 k"),
        (formats.amount, 12_936, "12.9 k"),
        (formats.amount, 999_600, "1.00 M"),
        (formats.amount, 24_558_656, "24.6 M"),
        (formats.amount, 4_089_284_608, "4.09 G"),
        (formats.duration, 3.14159, "3.1 s"),
        (formats.duration, 59.4, "59 s"),
        (formats.duration, 200, "3 min 20 s"),
        (formats.duration, 7_500, "2 h 05 min"),
        (formats.duration, 3_599.6, "1 h 00 min"),
    ],
)
def test_numbers(write, value, text):
    assert write(value) == text


@pytest.mark.parametrize("nothing", [None, math.nan, pd.NA])
@pytest.mark.parametrize(
    "write", [formats.percent, formats.points, formats.p_value, formats.share, formats.amount, formats.duration]
)
def test_nothing_is_a_dash(write, nothing):
    assert write(nothing) == "–"


def test_words():
    assert formats.spread(0.6123, 0.0071) == "61.23 ± 0.71"
    assert formats.spread(0.6123, math.nan) == "61.23"
    assert formats.interval(-0.004, 0.012) == "−0.40 to +1.20"
    assert formats.interval(math.nan, 0.012) == "–"
    assert [formats.listed(words) for words in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
    assert formats.settings({"a.b": "[1, 2]", "c": "x"}) == "a.b = [1, 2], c = x"
