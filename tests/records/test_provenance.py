"""Which code measured something."""

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import reid_search
from reid_search.records.provenance import git_commit, versions


def test_releases_are_those_that_are_installed() -> None:
    found = versions()
    assert found["torch"] == version("torch")
    assert found["reid-search"] == version("reid-search")
    assert found["python"] == sys.version.split()[0]


def test_the_commit_is_git_s_own() -> None:
    command = ["git", "-C", str(Path(reid_search.__file__).parent), "rev-parse", "HEAD"]
    git_commit.cache_clear()
    commit = git_commit()
    if commit is None:
        pytest.skip("not a checkout")
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?", commit)
    assert commit.removesuffix("-dirty") == subprocess.run(command, capture_output=True, text=True).stdout.strip()
