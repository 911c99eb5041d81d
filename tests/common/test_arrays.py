"""Chunks cover what they are cut from, in order."""

from hypothesis import given
from hypothesis import strategies as st

from reid_search.common.arrays import chunks


@given(st.integers(0, 60), st.integers(1, 70))
def test_chunks_cover_everything_once_and_none_is_longer(count, size):
    items = list(range(count))
    parts = [items[rows] for rows in chunks(count, size)]
    assert [item for part in parts for item in part] == items
    assert all(len(part) == size for part in parts[:-1])
    assert all(0 < len(part) <= size for part in parts)
    assert all(rows.stop <= count for rows in chunks(count, size))
