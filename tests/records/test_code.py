"""Which changes of the code set measurements apart: a copy of the sources, edited, against the sources as they are."""

import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

import reid_search
from reid_search.records import CodeVersion, code, code_of
from reid_search.study import ARCHITECTURES, TrialConfig

HOME = Path(reid_search.__file__).parent
Versions = Callable[[], dict[str, CodeVersion]]
Edit = Callable[[Path], object]

NO_NUMBERS = {"analysis", "cli", "pruners", "recipes", "records", "samplers", "scheduling", "tracking"}
"""The packages that choose, place, keep or show measurements."""


def config_of(**over: object) -> TrialConfig:
    content = {"data": {"name": "synthetic", "image_size": [32, 16]}, "model": {"architecture": "baseline"}}
    return TrialConfig.model_validate({**content, **over})


CONFIGS = {
    "baseline": config_of(),
    "mgn": config_of(model={"architecture": "mgn", "backbone": "resnet10_thin", "parts": [1, 2]}),
    "reranked": config_of(readouts={"default": {"scorer": "k_reciprocal"}}),
}


def _forget() -> None:
    for known in (code._component_folders, code._source, code._component):
        known.cache_clear()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the sources, which a test may edit."""
    copied = shutil.copytree(HOME, tmp_path / "reid_search", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code, "_HOME", copied)
    _forget()
    yield copied
    _forget()


def changed_by(edit: Edit, home: Path) -> dict[str, set[str]]:
    """Return the parts of each config's code that an edit changes."""
    before = {name: code_of(config).parts for name, config in CONFIGS.items()}
    edit(home)
    _forget()
    after = {name: code_of(config).parts for name, config in CONFIGS.items()}
    return {name: {part for part, _ in before[name].items() ^ after[name].items()} for name in CONFIGS}


def replaced(path: str, old: str, new: str) -> Edit:
    def edit(home: Path) -> None:
        text = (home / path).read_text()
        assert old in text
        (home / path).write_text(text.replace(old, new))

    return edit


def appended(path: str, text: str) -> Edit:
    return replaced(path, (HOME / path).read_text(), (HOME / path).read_text() + text)


def _new_component(home: Path) -> None:
    shutil.copytree(home / "models/mgn", home / "models/new_net")
    shutil.copytree(home / "losses/circle", home / "losses/new_loss")


def test_it_names_what_a_trial_uses() -> None:
    found = {name: code_of(config) for name, config in CONFIGS.items()}
    both = {"data.synthetic", "losses.cross_entropy", "losses.triplet", "backbones.resnet"}
    assert set(found["mgn"].components) == both | {"models.mgn"}
    assert set(found["baseline"].components) == both | {"models.baseline"}
    assert set(found["reranked"].components) == both | {"models.baseline", "scorers.k_reciprocal"}
    assert {item.source for item in found.values()} == {found["mgn"].source}
    assert found["mgn"].torch == version("torch")
    assert found["mgn"].libraries["numpy"] == ".".join(version("numpy").split(".")[:2])
    assert all(
        len(item) == 8 and int(item, 16) >= 0 for item in (found["mgn"].source, *found["mgn"].components.values())
    )


def test_a_loss_on_no_tap_is_not_used() -> None:
    off = config_of(losses={"triplet": {"kind": "triplet", "on": []}})
    assert "losses.triplet" not in code_of(off).components


@pytest.mark.parametrize(
    "edit",
    [
        appended("training/schedule.py", "\n# a comment\n"),
        replaced("models/mgn/model.py", '"""The multiple', '"""Another docstring. The multiple'),
        replaced("training/optimizer.py", "\n\n\n", "\n\n\n\n\n"),
        replaced("training/optimizer.py", "(\n", "(  # so\n"),
        _new_component,
        appended("models/pcb/model.py", "\nNEW = 1\n"),
        appended("study/question/plan.py", "\nNEW = 1\n"),
        appended("training/checkpoint.py", "\nNEW = 1\n"),
        *(appended(f"{room}/__init__.py", "\nNEW = 1\n") for room in sorted(NO_NUMBERS)),
    ],
)
def test_what_changes_no_number_of_theirs_changes_nothing(edit: Edit, home: Path) -> None:
    assert changed_by(edit, home) == {"baseline": set(), "mgn": set(), "reranked": set()}


@pytest.mark.parametrize("room", code.ROOMS)
def test_a_changed_constant_in_any_room_changes_all(room: str, home: Path) -> None:
    apart = {HOME / name for name in code.APART}
    files = sorted(path for path in (HOME / room).rglob("*.py") if not {path, *path.parents} & apart)
    shared = next(path for path in files if not any((folder / "config.py").exists() for folder in path.parents[:1]))
    edit = appended(str(shared.relative_to(HOME)), "\nNEW = 1\n")
    assert changed_by(edit, home) == {"baseline": {"source"}, "mgn": {"source"}, "reranked": {"source"}}


def test_a_changed_component_changes_those_that_use_it(home: Path) -> None:
    assert changed_by(appended("models/mgn/model.py", "\nNEW = 1\n"), home) == {
        "baseline": set(), "mgn": {"models.mgn"}, "reranked": set()
    }  # fmt: skip
    assert changed_by(appended("scorers/k_reciprocal/neighbours.py", "\nNEW = 1\n"), home) == {
        "baseline": set(), "mgn": set(), "reranked": {"scorers.k_reciprocal"}
    }  # fmt: skip


def test_what_a_component_imports_from_another_belongs_to_it(home: Path) -> None:
    found = changed_by(appended("data/market1501/layout.py", "\nNEW = 1\n"), home)
    assert all("data.synthetic" in parts for parts in found.values())


def test_every_package_is_either_hashed_or_known_to_determine_no_number() -> None:
    packages = {path.parent.name for path in HOME.glob("*/__init__.py")}
    assert packages == {*code.ROOMS, *NO_NUMBERS}
    assert [name for name in code.APART if not (HOME / name).exists()] == []


def test_a_component_of_another_distribution_is_its_whole_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = (HOME / "models/baseline/config.py").read_text().replace('"baseline"', '"elsewhere"')
    for folder in (tmp_path / "other_nets", tmp_path / "other_nets/net"):
        folder.mkdir()
        (folder / "__init__.py").touch()
    (tmp_path / "other_nets/net/config.py").write_text(config)
    (tmp_path / "other_nets/net/model.py").write_text("from other_nets.layers import SCALE\n")
    (tmp_path / "other_nets/layers.py").write_text("SCALE = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(ARCHITECTURES, "_added", {})
    from importlib import import_module

    ARCHITECTURES.add("elsewhere", import_module("other_nets.net.config").CONFIG)
    trial = config_of(model={"architecture": "elsewhere"})
    found = []
    for text in ("SCALE = 1\n", "SCALE = 1  # a comment\n", "SCALE = 2\n"):
        (tmp_path / "other_nets/layers.py").write_text(text)
        _forget()
        found.append(code_of(trial).components["other_nets"])
    assert found[0] == found[1] != found[2]
    for name in [name for name in sys.modules if name.partition(".")[0] == "other_nets"]:
        monkeypatch.delitem(sys.modules, name)
