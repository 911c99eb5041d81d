"""Proposals of a search; a sampler and a pruner of another distribution need two files and an entry point each."""

import importlib
import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest

from reid_search.scheduling.proposals import Proposer, proposers, within_noise
from reid_search.study import PRUNERS, SAMPLERS, Axis, ComponentFamily, Level, SearchPhase, Space, load_study

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
    (proposer,) = proposers(search, [share.space for share in study.shares(search)], 0, study.name)
    settings, _ = proposer.ask(0)
    assert settings["losses.triplet.margin"].value == 2.0
    assert [proposer.report(0, epoch, 0.5) for epoch in (1, 2)] == [False, True]  # of three epochs


MARGIN = "losses.triplet.margin"
POOLING = "model.pooling"
IDS = "training.batch.ids"


@pytest.fixture
def proposers_of(write_study) -> Callable[..., list[Proposer]]:
    def make(sampler: object, axes: dict[str, Any], seed: int = 0, **phase: Any) -> list[Proposer]:
        phases = [{"kind": "search", "sampler": sampler, "trials": 12, "pruner": "none", **phase}]
        study = load_study(write_study(phases=phases, axes=axes))
        (search,) = study.config.phases
        assert isinstance(search, SearchPhase)
        return proposers(search, [share.space for share in study.shares(search)], seed, study.name)

    return make


def margins(low: float, high: float) -> dict[str, Any]:
    return {MARGIN: {"uniform": [low, high]}, POOLING: {"choice": ["max", "avg"]}}


def test_each_proposal_has_a_seed_of_its_own(proposers_of) -> None:
    (proposer,) = proposers_of("random", margins(0.1, 2.0))
    asked = [proposer.ask(number)[0][MARGIN].value for number in range(12)]
    assert len(set(asked)) == len(asked) == 12


def test_a_sampler_knows_how_earlier_proposals_did(proposers_of) -> None:
    """Two searches whose first trials are alike except for what they reached."""
    found = []
    for sign in (1, -1):
        (proposer,) = proposers_of({"kind": "tpe", "startup": 4}, margins(0.1, 1.1))
        for number in range(10):
            proposer.again(number, {MARGIN: 0.1 + number / 10, POOLING: "max"})
            proposer.tell(number, sign * number / 10)
        found.append([proposer.ask(number)[0][MARGIN].value for number in range(10, 20)])
    high, low = (sum(values) / len(values) for values in found)
    assert low < high


def test_a_rounded_value_stays_inside_its_range(proposers_of) -> None:
    """To four digits, both ends would lie outside."""
    low, high = 0.12344, 0.98766
    assert float(f"{low:.4g}") < low < high < float(f"{high:.4g}")
    (proposer,) = proposers_of("random", margins(low, high))
    for number, end in enumerate((low, high)):
        settings, _ = proposer.again(number, {MARGIN: end, POOLING: "max"})
        assert settings[MARGIN].value == end


def test_each_share_of_a_search_has_a_name_of_its_own_that_a_run_which_resumes_gives_again(proposers_of) -> None:
    """Hyperband puts a trial into a bracket by the name of its search and its number."""

    def brackets() -> list[list[list[bool]]]:
        found: list[list[list[bool]]] = []
        for proposer in proposers_of("random", margins(0.1, 2.0), trials=40, pruner="hyperband", each=POOLING):
            found.append([])
            for number in range(40):
                proposer.ask(number)
                found[-1].append([proposer.report(number, epoch, 1 / (1 + number)) for epoch in (1, 2, 3)])
                proposer.tell(number, 1 / (1 + number))
        return found

    first, second = brackets()
    assert first != second
    assert brackets() == [first, second]


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_small_space_is_proposed_once_and_is_then_at_its_end(proposers_of, sampler: str) -> None:
    pools = ["max", "avg", "gem", "avg_max"]
    axes = {IDS: {"integer": [2, 4]}, POOLING: {"choice": pools}}
    (proposer,) = proposers_of(sampler, axes, trials=30)
    assert proposer.total == 12, "the study knows beforehand how many there are"
    asked = []
    for number in range(12):
        settings, params = proposer.ask(number)
        asked.append(tuple(level.value for level in settings.values()))
        assert params == {IDS: asked[-1][0], POOLING: asked[-1][1]}
        proposer.tell(number, 0.9 if asked[-1] == (4, "gem") else 0.1)
    assert set(asked) == {(ids, pooling) for ids in (2, 3, 4) for pooling in pools}
    assert proposer.ask(12) is None
    assert proposer.total == 12


def test_settings_that_differ_within_noise_are_not_proposed(proposers_of) -> None:
    """Of forty random numbers, some twenty pairs are nearer than a hundredth of their range."""
    (proposer,) = proposers_of("random", {MARGIN: {"uniform": [0.1, 2.1]}}, trials=40)
    values = sorted(proposer.ask(number)[0][MARGIN].value for number in range(40))
    assert min(high - low for low, high in itertools.pairwise(values)) >= 0.02


def test_what_is_within_noise_depends_on_the_scale_of_the_range_and_on_nothing_else_differing() -> None:
    axes = {
        "training.optimizer.lr": {"log_uniform": [1e-4, 1e-2]},  # 1 % of it is a factor of 1.047
        MARGIN: {"uniform": [0.0, 2.0]},
        IDS: {"integer": [2, 500]},
        POOLING: {"choice": ["max", "avg"]},
    }
    space = Space({}, {path: Axis.model_validate(axis) for path, axis in axes.items()})

    def settings(rate: float, margin: float, ids: int, pooling: str) -> dict[str, Level]:
        return {
            path: axis.level_of(value)
            for (path, axis), value in zip(space.axes.items(), (rate, margin, ids, pooling), strict=True)
        }

    one = settings(1e-3, 1.0, 100, "max")
    near = [
        one,
        settings(1.04e-3, 1.0, 100, "max"),
        settings(1e-3, 1.019, 100, "max"),
        settings(0.96e-3, 0.981, 100, "max"),
    ]
    far = [
        settings(1.05e-3, 1.0, 100, "max"), settings(1e-3, 1.021, 100, "max"), settings(1e-3, 1.0, 101, "max"),
        settings(1e-3, 1.0, 100, "avg"), {path: one[path] for path in (MARGIN, IDS, POOLING)},
    ]  # fmt: skip
    assert [within_noise(one, other, space) for other in near] == [True] * 4
    assert [within_noise(one, other, space) for other in far] == [False] * 5
    assert [within_noise(other, one, space) for other in near + far] == [True] * 4 + [False] * 5


def test_what_is_no_repeat_is_the_first_draw_of_the_sampler(proposers_of) -> None:
    """The seed of a proposal is that of earlier releases, so that studies which they began go on as they would have."""
    (proposer,) = proposers_of("random", margins(0.1, 2.0), seed=7)
    for number in range(5):
        sampler = optuna.samplers.RandomSampler(seed=int(np.random.SeedSequence([7, number]).generate_state(1)[0]))
        trial = optuna.create_study(sampler=sampler).ask()
        drawn = {
            MARGIN: trial.suggest_float(MARGIN, 0.1, 2.0),
            POOLING: trial.suggest_categorical(POOLING, ["max", "avg"]),
        }
        assert proposer.ask(number)[1] == drawn
