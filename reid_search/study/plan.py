"""What a study will run, said before anything runs."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reid_search.errors import DataNotGiven
from reid_search.study.config import DataConfig
from reid_search.study.designs import Arm, FractionalDesign, alias_structure, effect_name
from reid_search.study.key import joint_fingerprint, trial_key
from reid_search.study.phases import AblatePhase, SearchPhase
from reid_search.study.taps import STAGE_ORDER, TapSpec
from reid_search.study.trial import TrialConfig

if TYPE_CHECKING:
    from reid_search.study.space import Settings, Space
    from reid_search.study.study import Study


@dataclass(frozen=True)
class PlannedTrial:
    """One training that an arm asks for.

    Attributes:
        phase: Name of the phase.
        arm: The arm.
        seed: The replicate.
        key: Key of the training; with the seed it names the trial.
        config: The trial.
        evaluate: The split that it is tested on: `val` or `test`.
    """

    phase: str
    arm: Arm
    seed: int
    key: str
    config: TrialConfig = field(repr=False)
    evaluate: str


@dataclass(frozen=True)
class PhasePlan:
    """What one phase asks for.

    Attributes:
        name: The phase.
        kind: `search` or `ablate`.
        about: What it does, in a few words.
        arms: Arms of an ablation; empty for a search.
        trials: Trainings of an ablation, one per arm and seed; empty for a search.
        count: Number of trials, proposals included; trainings that an earlier phase asks for are not counted again.
        images: Training images of them, without early stopping.
        provisional: Whether the arms will be drawn again around the search's best.
        aliases: Of a fractional factorial, the effects that it cannot tell apart, up to interactions of two axes:
            `model.neck = model.pooling × model.parts`, with a minus where one is the opposite of the other.
    """

    name: str
    kind: str
    about: str
    arms: tuple[Arm, ...]
    trials: tuple[PlannedTrial, ...]
    count: int
    images: int
    provisional: bool
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """Everything that a study asks for.

    Attributes:
        study: Name of the study.
        phases: Its phases in order.
        warnings: What a reader should know before spending hours.
    """

    study: str
    phases: tuple[PhasePlan, ...]
    warnings: tuple[str, ...]

    @property
    def arms(self) -> list[Arm]:
        """The arms of all ablations."""
        return [arm for phase in self.phases for arm in phase.arms]

    @property
    def trials(self) -> list[PlannedTrial]:
        """The trainings of all ablations."""
        return [trial for phase in self.phases for trial in phase.trials]

    @property
    def images(self) -> int:
        """Training images of all phases."""
        return sum(phase.images for phase in self.phases)


class Fingerprints:
    """Fingerprints of data sets, each computed once."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of_trial(self, config: TrialConfig) -> str:
        """Return what identifies the data sets of a trial together."""
        others = [config.stage_data(stage) for stage in config.training.stages if stage.data]
        return joint_fingerprint([self.of(data) for data in (config.data, *others)])

    def of(self, data: DataConfig) -> str:
        """Return the fingerprint of a data set, whatever its image size and holdout."""
        name = data.model_dump_json(exclude={"image_size", "holdout", "split_seed"})
        if name not in self._known:
            self._known[name] = data.fingerprint()
        return self._known[name]


class _PlanFingerprints(Fingerprints):
    """Fingerprints as far as the data are given; keys of trials on others are not those of their run."""

    def __init__(self) -> None:
        super().__init__()
        self.not_given: dict[str, None] = {}

    def of(self, data: DataConfig) -> str:
        try:
            return super().of(data)
        except DataNotGiven as error:
            self.not_given[f"{error}; until then the keys of the trials are provisional"] = None
            return "not given"


def make_plan(study: "Study", best: "Settings | None" = None, given: "Fingerprints | None" = None) -> Plan:
    """Return the plan of a study; see `Study.plan`."""
    provisional = _PlanFingerprints()
    fingerprints = given or provisional
    phases: list[PhasePlan] = []
    for phase in study.config.phases:
        if isinstance(phase, AblatePhase):
            known = {(trial.key, trial.seed) for earlier in phases for trial in earlier.trials}
            phases.append(_ablation(study, phase, fingerprints, best, known))
        else:
            phases.append(_search(study, phase))
    arms = [arm for phase in phases for arm in phase.arms]
    return Plan(study.name, tuple(phases), (*provisional.not_given, *_warnings(arms)))


def planned_trials(phase: AblatePhase, arms: list[Arm], fingerprints: Fingerprints) -> list[PlannedTrial]:
    """Return the trainings of an ablation: seed after seed, so that an interrupted one is balanced."""
    keys = {arm.name: trial_key(arm.config, fingerprints.of_trial(arm.config)) for arm in arms}
    return [
        PlannedTrial(phase.name, arm, seed, keys[arm.name], arm.config, phase.evaluate)
        for seed in range(1, phase.seeds + 1)
        for arm in arms
    ]


def _ablation(
    study: "Study",
    phase: AblatePhase,
    fingerprints: Fingerprints,
    best: "Settings | None",
    known: Collection[tuple[str, int]],
) -> PhasePlan:
    arms = study.arms(phase, best)
    fraction = study.fraction(phase, best)
    trials = planned_trials(phase, arms, fingerprints)
    images = {(trial.key, trial.seed): trial.config.training.images for trial in trials}
    unique = {trial: count for trial, count in images.items() if trial not in known}
    return PhasePlan(
        name=phase.name,
        kind="ablate",
        about=f"{phase.design}{_size(fraction)} around {phase.around}, {phase.seeds} seeds, tested on {phase.evaluate}",
        arms=tuple(arms),
        trials=tuple(trials),
        count=len(unique),
        images=sum(unique.values()),
        provisional=phase.around == "best" and best is None,
        aliases=_aliases(fraction, arms[0]),
    )


def _size(fraction: FractionalDesign | None) -> str:
    if fraction is None:
        return ""
    attained = "the full factorial" if fraction.resolution is None else f"resolution {fraction.resolution}"
    return f" ({len(fraction.runs)} runs, {attained})"


def _aliases(fraction: FractionalDesign | None, centre: Arm) -> tuple[str, ...]:
    axes = list(centre.settings)  # the factors, in order
    groups = alias_structure(fraction).groups if fraction else []
    return tuple(_equation(group, axes) for group in groups)


def _equation(group: Mapping[int, int], axes: Sequence[str]) -> str:
    return " = ".join(f"{'-' if sign < 0 else ''}{effect_name(effect, axes)}" for effect, sign in group.items())


def _search(study: "Study", phase: SearchPhase) -> PhasePlan:
    space = study.space(phase)
    spaces = [space]
    if phase.each is not None:
        axis = space.axes[phase.each]
        spaces = [
            replace(space, axes={**space.axes, phase.each: axis.only(level.label)}) for level in axis.searched_levels
        ]
    count = sum(_proposals(phase, part) for part in spaces)
    pruned = "" if phase.pruner.kind == "none" else f", {phase.pruner.kind}"
    each = "" if phase.each is None else f" for each {phase.each}"
    return PhasePlan(
        name=phase.name,
        kind="search",
        about=f"{phase.sampler}{each}{pruned}, maximises {phase.objective}",
        arms=(),
        trials=(),
        count=count,
        images=count * space.config({}).training.images,
        provisional=False,
    )


def _proposals(phase: SearchPhase, space: "Space") -> int:
    if phase.sampler != "grid":
        return phase.trials
    cells = math.prod(len(axis.design_levels) for axis in space.axes.values())
    return min(phase.trials, sum(1 for _ in space.combinations()) if cells <= 10_000 else cells)


def _warnings(arms: list[Arm]) -> Iterator[str]:
    for arm in arms:
        reached = [tap for name in arm.config.losses for tap in arm.config.loss_taps(name)]
        for readout in arm.config.readouts:
            unreached = [tap.key for tap in arm.config.readout_taps(readout) if not _trained(tap, reached)]
            if unreached:
                yield f"{arm.name}: readout '{readout}' uses {', '.join(unreached)}, which no loss trains"


def _trained(tap: TapSpec, reached: list[TapSpec]) -> bool:
    branch, _, part = tap.name.partition(".")
    for loss_tap in reached:
        same = loss_tap.name == tap.name or (loss_tap.name == f"{branch}.concat" and part.startswith("part"))
        same = same or (part == "concat" and loss_tap.name.startswith(f"{branch}.part"))
        if same and STAGE_ORDER.index(loss_tap.stage) >= STAGE_ORDER.index(tap.stage):
            return True
    return False
