"""Counts in sentences."""

import pytest

from reid_search.words import several


@pytest.mark.parametrize(
    ("count", "noun", "said"),
    [
        (0, "image", "0 images"),
        (1, "arm", "1 arm"),
        (12_936, "more image", "12,936 more images"),
        (1, "identity", "1 identity"),
        (2, "identity", "2 identities"),
        (3, "query", "3 queries"),
        (2, "day", "2 days"),
    ],
)
def test_a_count_agrees_with_its_noun(count: int, noun: str, said: str) -> None:
    assert several(count, noun) == said
