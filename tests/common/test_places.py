"""Where the cache lies."""

from pathlib import Path

import pytest

from reid_search.common.places import cache_folder


def test_the_cache_may_be_named_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    for named, folder in (("~/kept", tmp_path / "home/kept"), ("kept", tmp_path / "kept"), ("/kept", Path("/kept"))):
        monkeypatch.setenv("REID_SEARCH_CACHE", named)
        assert cache_folder() == folder
    monkeypatch.delenv("REID_SEARCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg/reid-search"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == tmp_path / "home/.cache/reid-search"
