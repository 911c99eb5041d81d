"""A trial's key is made of the bytes of every file that is read, and of nothing else.

`inputs.py` lists every kind of input. Each file in it is edited at equal size and time, which changes the key; wherever
its folder lies, under whatever name, and with whatever lies beside it that nobody reads, the key is the same.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from reid_search.study import TrialConfig
from reid_search.study.question.plan import Fingerprints
from tests.data.inputs import INPUTS, Content, Input

CLOCK_TICK = 0.02
"""Seconds in which the clock that stamps inodes moves on."""
HIDDEN = (".DS_Store", "Thumbs.db", "desktop.ini", "._0001_c1s1_000000_00.jpg", "._0001_c1s1_000000_00.png")
FOREIGN = ("x.txt", "x.json", "x_keypoints.json", "x.png.predictions.json", "x.npy", "x.npz", "x.csv", "x.mat")
FOREIGN_IMAGES = ("x.png", "x.jpg", "more/x.png")
EDITS = [(name, pattern) for name, item in INPUTS.items() for pattern in item.reads]
NAMED = [(name, entry) for name, item in INPUTS.items() for entry in item.named]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes the folder of an input, once."""
    folders: dict[str, Path] = {}

    def make(name: str) -> Path:
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp("input") / "made"
            folders[name].mkdir()
            INPUTS[name].build(folders[name])
        return folders[name]

    return make


@pytest.fixture
def copied(made: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """Makes a copy of the folder of an input, for a test to change."""
    return lambda name: Path(shutil.copytree(made(name), tmp_path / "copied", symlinks=True))


@pytest.fixture
def key_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Returns the key of the trial that reads a folder, as a plan does."""

    def find(item: Input, root: Path, entry: str | None = None, named: Path | None = None) -> str:
        content = _placed(item.trial, root)
        if entry:
            holder, last = _holder(content, entry)
            holder[last] = str(named)
        for variable, place in item.environment.items():
            monkeypatch.setenv(variable, _placed(place, root))
        return Fingerprints().key_of(TrialConfig.model_validate(content))

    return find


def _placed(value: Any, root: Path) -> Any:
    if isinstance(value, Mapping):
        return {key: _placed(item, root) for key, item in value.items()}
    if isinstance(value, list):
        return [_placed(item, root) for item in value]
    return str(root / value[1:]) if isinstance(value, str) and value.startswith("@") else value


def _holder(content: Content, entry: str) -> tuple[Any, str]:
    """Return what holds an entry, such as `training.stages.0.data.root`, and its last step."""
    *above, last = entry.split(".")
    holder: Any = content
    for step in above:
        holder = holder[int(step) if step.isdecimal() else step]
    return holder, last


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(("name", "pattern"), EDITS)
def test_an_edit_of_equal_size_and_time_changes_the_key(
    copied: Callable[[str], Path], key_of: Callable[..., str], tmp_path: Path, name: str, pattern: str
) -> None:
    item, root = INPUTS[name], copied(name)
    before = key_of(item, root)
    victim = sorted(root.glob(pattern))[0]
    content, times = victim.read_bytes(), tmp_path / "times"
    shutil.copy2(victim, times)
    time.sleep(CLOCK_TICK)
    victim.write_bytes(item.reads[pattern](content))
    subprocess.run(["touch", "-r", times, victim], check=True)
    status, earlier = victim.stat(), times.stat()
    assert (status.st_size, status.st_mtime_ns) == (earlier.st_size, earlier.st_mtime_ns)
    assert key_of(item, root) != before
    time.sleep(CLOCK_TICK)
    victim.write_bytes(content)
    assert key_of(item, root) == before


@pytest.mark.parametrize("name", INPUTS)
def test_the_place_changes_no_key(
    made: Callable[[str], Path], copied: Callable[[str], Path], key_of: Callable[..., str], tmp_path: Path, name: str
) -> None:
    item, copy = INPUTS[name], copied(name)
    before = key_of(item, made(name))
    assert key_of(item, copy) == before
    moved = Path(shutil.move(copy, tmp_path / "moved"))
    assert key_of(item, moved) == before
    (tmp_path / "link").symlink_to(moved)
    assert key_of(item, tmp_path / "link") == before
    linked = shutil.copytree(moved, tmp_path / "links", copy_function=os.symlink)
    assert key_of(item, linked) == before


@pytest.mark.parametrize(("name", "entry"), NAMED)
def test_what_is_named_may_lie_anywhere_under_any_name(
    copied: Callable[[str], Path], key_of: Callable[..., str], tmp_path: Path, name: str, entry: str
) -> None:
    item, root = INPUTS[name], copied(name)
    before = key_of(item, root)
    holder, last = _holder(_placed(item.trial, root), entry)
    other = tmp_path / f"other{Path(holder[last]).suffix}"
    shutil.move(holder[last], other)
    assert key_of(item, root, entry, other) == before


def test_the_same_files_at_two_places_are_one(
    copied: Callable[[str], Path], key_of: Callable[..., str], tmp_path: Path
) -> None:
    item, root = INPUTS["several, tested elsewhere"], copied("several, tested elsewhere")
    before = key_of(item, root)
    copy = Path(shutil.copytree(root / "market1501", tmp_path / "copy"))
    assert key_of(item, root, "data.test.own.root", copy) == before


@pytest.mark.parametrize("name", ["manifest.csv", "manifest.parquet"])
def test_a_manifest_may_have_any_name(copied: Callable[[str], Path], key_of: Callable[..., str], name: str) -> None:
    item, root = INPUTS[name], copied(name)
    before = key_of(item, root)
    assert key_of(item, root, "data.root", root / name) == before
    other = (root / name).rename(root / f"people{Path(name).suffix}")
    assert key_of(item, root, "data.root", other) == before


@pytest.mark.parametrize("name", INPUTS)
def test_hidden_and_foreign_files_change_no_key(
    copied: Callable[[str], Path], key_of: Callable[..., str], name: str
) -> None:
    item, root = INPUTS[name], copied(name)
    before = key_of(item, root)
    own = {folder for pattern in item.own for folder in root.glob(pattern)}
    for folder in (root, *(path for path in root.rglob("*") if path.is_dir() and not path.is_symlink())):
        for other in (*HIDDEN, *FOREIGN, *(() if folder in own else FOREIGN_IMAGES)):
            (folder / other).parent.mkdir(exist_ok=True)
            (folder / other).write_bytes(b"x")
    assert key_of(item, root) == before


@pytest.mark.parametrize("folder", ["masks", "keypoints"])
def test_a_folder_of_side_cars_of_no_image_changes_no_key(
    copied: Callable[[str], Path], key_of: Callable[..., str], folder: str
) -> None:
    item, root = INPUTS["market1501"], copied("market1501")
    before = key_of(item, root)
    (root / folder).mkdir()
    for other in (*FOREIGN, "x.png"):
        (root / folder / other).write_bytes(b"x")
    assert key_of(item, root) == before
