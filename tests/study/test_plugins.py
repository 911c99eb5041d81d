"""Broken entry points of other distributions, found on a real path: each is one message that names it."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reid_search.errors import StudyError
from reid_search.study import LOSSES, SAMPLERS, ComponentFamily
from reid_search.study.question.designs import registry

CONFIG = """
from typing import Literal
from reid_search.study import SamplerConfig

class Corner(SamplerConfig):
    kind: Literal["corner"]

number = 3
"""
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put a package `corner_plugin` and the entry points of a distribution on the path."""

    def write(points: str, distribution: str = "elsewhere", work: str = "sampler") -> None:
        root = tmp_path / distribution
        files = {
            "corner_plugin/__init__.py": "",
            "corner_plugin/config.py": CONFIG,
            "corner_plugin/broken.py": "1 / 0",
            f"corner_plugin/{work}.py": "",
            f"{distribution}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n",
            f"{distribution}-1.0.dist-info/entry_points.txt": points,
        }
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        monkeypatch.syspath_prepend(root)
        _forget()

    yield write
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    importlib.invalidate_caches()
    ComponentFamily._others.cache_clear()
    registry._of_others.cache_clear()
    for name in [name for name in sys.modules if name.split(".")[0] == "corner_plugin"]:
        del sys.modules[name]


def test_a_whole_one_is_found(install: Install) -> None:
    install("[reid_search.samplers]\ncorner = corner_plugin.config:Corner\n")
    assert SAMPLERS.validate({"kind": "corner"}).model_dump()["kind"] == "corner"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("corner_plugin.broken:Corner", "cannot be imported: ZeroDivisionError: division by zero"),
        ("corner_plugin.absent:Corner", "cannot be imported: ModuleNotFoundError: No module named 'corner_plugin.abs"),
        ("corner_plugin.config:CONFIG", "cannot be imported: AttributeError: .* has no attribute 'CONFIG'"),
        ("corner_plugin.config:number", "names 3; expected the class of a config with a field `kind`"),
        ("corner_plugin.config", "names <module .*; expected the class of a config"),
        ("no such thing!", "cannot be imported: "),
    ],
)
def test_a_broken_one_is_one_message_and_only_where_it_is_named(value: str, message: str, install: Install) -> None:
    install(f"[reid_search.samplers]\ncorner = {value}\n")
    assert "corner" in SAMPLERS.names()
    SAMPLERS.config_class("tpe")
    with pytest.raises(StudyError, match=f"entry point 'corner = {value}' of .*, distribution elsewhere: {message}"):
        SAMPLERS.config_class("corner")


def test_a_missing_work_module_is_found_before_anything_runs(install: Install) -> None:
    install("[reid_search.samplers]\ncorner = corner_plugin.config:Corner\n", work="work")
    with pytest.raises(StudyError, match="distribution elsewhere: the work module 'sampler' is missing in corner_plug"):
        SAMPLERS.config_class("corner")


def test_a_name_that_is_taken_is_refused(install: Install) -> None:
    install("[reid_search.samplers]\ntpe = corner_plugin.config:Corner\ncorner = corner_plugin.config:Corner\n")
    with pytest.raises(StudyError, match="distribution elsewhere: reid_search itself has this name too"):
        SAMPLERS.config_class("tpe")
    install("[reid_search.samplers]\ncorner = corner_plugin.config:Corner\n", distribution="another")
    with pytest.raises(StudyError, match=r"distribution (another: elsewhere|elsewhere: another) has this name too"):
        SAMPLERS.config_class("corner")
    assert LOSSES.config_class("triplet")


def test_entry_points_that_cannot_be_read_name_their_distribution(install: Install) -> None:
    install("[reid_search.samplers]\ncorner\n")
    with pytest.raises(StudyError, match=r"distribution elsewhere: its entry_points.txt cannot be read"):
        SAMPLERS.names()


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ("ladder = corner_plugin.broken:DESIGN", "cannot be imported: ZeroDivisionError"),
        ("ladder = corner_plugin.config:number", "names 3; expected a `Design` whose name is 'ladder'"),
        ("factorial = corner_plugin.config:number", "reid_search itself has this name too"),
    ],
)
def test_a_broken_design(point: str, message: str, install: Install) -> None:
    install(f"[reid_search.designs]\n{point}\n")
    with pytest.raises(StudyError, match=f"distribution elsewhere: {message}"):
        registry.designs()
