"""A sampler and a pruner of another distribution: two small files and an entry point each, and a study names them."""

import importlib
import sys
from pathlib import Path

import pytest

from reid_search.scheduling.proposals import turns
from reid_search.study import PRUNERS, SAMPLERS, ComponentFamily, SearchPhase, load_study

FILES = {
    "corner/__init__.py": "",
    "corner/config.py": """
from typing import Literal
from reid_search.study import SamplerConfig

class CornerConfig(SamplerConfig):
    kind: Literal["corner"]
    high: bool = False
""",
    "corner/sampler.py": """
from optuna.samplers import RandomSampler

class Corner(RandomSampler):
    def __init__(self, high, seed):
        super().__init__(seed=seed)
        self.high = high

    def sample_independent(self, study, trial, name, distribution):
        return distribution.high if self.high else distribution.low

def build(config, seed):
    return Corner(config.high, seed)
""",
    "fixed/__init__.py": "",
    "fixed/config.py": """
from typing import Literal
from reid_search.study import PrunerConfig

class FixedConfig(PrunerConfig):
    kind: Literal["fixed"]
    share: float = 0.5
""",
    "fixed/pruner.py": """
from optuna.pruners import BasePruner

class Fixed(BasePruner):
    def __init__(self, most):
        self.most = most

    def prune(self, study, trial):
        return trial.last_step >= self.most

def build(config, epochs):
    return Fixed(config.share * epochs)
""",
    "elsewhere-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: elsewhere\nVersion: 1.0\n",
    "elsewhere-1.0.dist-info/entry_points.txt": """[reid_search.samplers]
corner = corner.config:CornerConfig
[reid_search.pruners]
fixed = fixed.config:FixedConfig
""",
}


@pytest.fixture
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, text in FILES.items():
        path = tmp_path / "elsewhere" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")
    importlib.invalidate_caches()
    ComponentFamily._others.cache_clear()
    yield
    ComponentFamily._others.cache_clear()
    for name in [name for name in sys.modules if name.split(".")[0] in ("corner", "fixed")]:
        del sys.modules[name]


@pytest.mark.usefixtures("_elsewhere")
def test_a_sampler_and_a_pruner_can_come_from_elsewhere(write_study) -> None:
    assert "corner" in SAMPLERS.names()
    assert "fixed" in PRUNERS.names()
    phase = {"kind": "search", "sampler": {"kind": "corner", "high": True}, "pruner": "fixed", "trials": 4}
    study = load_study(write_study(phases=[phase], axes={"losses.triplet.margin": {"uniform": [0.1, 2.0]}}))
    assert "corner (high True), fixed" in study.plan().phases[0].about
    (search,) = study.config.phases
    assert isinstance(search, SearchPhase)
    proposer, number = turns(search, [share.space for share in study.shares(search)], 0, study.name)[0]
    settings, _ = proposer.ask(number)
    assert settings["losses.triplet.margin"].value == 2.0
    assert [proposer.report(0, epoch, 0.5) for epoch in (1, 2)] == [False, True]  # of three epochs
