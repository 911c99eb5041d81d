"""Proposals of a search; a sampler and a pruner of another distribution need two files and an entry point each."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reid_search.scheduling.proposals import Proposer, turns
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


MARGIN = "losses.triplet.margin"
POOLING = "model.pooling"


@pytest.fixture
def turns_of(write_study) -> Callable[..., list[tuple[Proposer, int]]]:
    def make(sampler: object, margin: list[float], seed: int = 0, **phase: Any) -> list[tuple[Proposer, int]]:
        axes = {MARGIN: {"uniform": margin}, POOLING: {"choice": ["max", "avg"]}}
        phases = [{"kind": "search", "sampler": sampler, "trials": 12, "pruner": "none", **phase}]
        study = load_study(write_study(phases=phases, axes=axes))
        (search,) = study.config.phases
        assert isinstance(search, SearchPhase)
        return turns(search, [share.space for share in study.shares(search)], seed, study.name)

    return make


def test_each_proposal_has_a_seed_of_its_own(turns_of) -> None:
    asked = [proposer.ask(number)[0][MARGIN].value for proposer, number in turns_of("random", [0.1, 2.0])]
    assert len(set(asked)) == len(asked) == 12


def test_a_sampler_knows_how_earlier_proposals_did(turns_of) -> None:
    """Two searches whose first trials are alike except for what they reached."""
    found = []
    for sign in (1, -1):
        proposer, _ = turns_of({"kind": "tpe", "startup": 4}, [0.1, 1.1])[0]
        for number in range(10):
            proposer.again(number, {MARGIN: 0.1 + number / 10, POOLING: "max"})
            proposer.tell(number, sign * number / 10)
        found.append([proposer.ask(number)[0][MARGIN].value for number in range(10, 20)])
    high, low = (sum(values) / len(values) for values in found)
    assert low < high


def test_a_rounded_value_stays_inside_its_range(turns_of) -> None:
    """To four digits, both ends would lie outside."""
    low, high = 0.12344, 0.98766
    assert float(f"{low:.4g}") < low < high < float(f"{high:.4g}")
    proposer, _ = turns_of("random", [low, high])[0]
    for number, end in enumerate((low, high)):
        settings, _ = proposer.again(number, {MARGIN: end, POOLING: "max"})
        assert settings[MARGIN].value == end


def test_each_share_of_a_search_has_a_name_of_its_own_that_a_run_which_resumes_gives_again(turns_of) -> None:
    """Hyperband puts a trial into a bracket by the name of its search and its number."""

    def brackets() -> list[list[list[bool]]]:
        proposers: dict[Proposer, list[list[bool]]] = {}
        for proposer, number in turns_of("random", [0.1, 2.0], trials=40, pruner="hyperband", each=POOLING):
            proposer.ask(number)
            stops = [proposer.report(number, epoch, 1 / (1 + number)) for epoch in (1, 2, 3)]
            proposer.tell(number, 1 / (1 + number))
            proposers.setdefault(proposer, []).append(stops)
        return list(proposers.values())

    first, second = brackets()
    assert first != second
    assert brackets() == [first, second]
