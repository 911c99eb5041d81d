"""What a study will run, known before anything runs."""

import contextlib
import itertools
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from reid_search.errors import DataError, DataNotGiven, StudyError, WeightsAbsent
from reid_search.study.component import EntryError
from reid_search.study.language.validation_errors import Mistake
from reid_search.study.metrics import Split
from reid_search.study.question.axes import Axis
from reid_search.study.question.beside import beside_name
from reid_search.study.question.deciding import seeds_that_decide
from reid_search.study.question.designs.arms import BASELINE, Arm
from reid_search.study.question.phases import AblatePhase, SearchPhase
from reid_search.study.question.places_of_entries import Written, place_of_value
from reid_search.study.question.privileged import Beside, check_told_alike
from reid_search.study.question.proposed import proposed_trials
from reid_search.study.question.question import Question
from reid_search.study.question.searching import PrunerConfig, SamplerConfig
from reid_search.study.question.space import Settings
from reid_search.study.trial.config import OF_ANY_SET, RESIZING, DataConfig, DataFacts, Seen, SetUse
from reid_search.study.trial.key import fingerprint_of_sets, joint_fingerprint, trial_key
from reid_search.study.trial.set_names import SetNames, names_of
from reid_search.study.trial.side_cars import TOLD
from reid_search.study.trial.trial import TrialConfig
from reid_search.study.trial.weights import weights_as_named
from reid_search.words import several


@dataclass(frozen=True)
class PlannedTrial:
    """One training that an arm asks for.

    Attributes:
        phase: Name of the phase.
        arm: The arm.
        seed: Seed of the replicate.
        key: Key of the training; with the seed it identifies the trial.
        config: The trial.
        evaluate: The split that it is tested on: `val` or `test`.
        data_fingerprint: What identifies its data.
    """

    phase: str
    arm: Arm
    seed: int
    key: str
    config: TrialConfig = field(repr=False)
    evaluate: Split
    data_fingerprint: str = ""


@dataclass(frozen=True)
class PhasePlan:
    """What one phase asks for.

    Attributes:
        name: The phase.
        kind: `search` or `ablate`.
        about: What it does, in a few words.
        arms: Arms of an ablation; empty for a search.
        trials: Trainings of an ablation, one per arm and seed; empty for a search.
        count: Number of trials, including proposals but not trainings of earlier phases; for a path, the maximum.
        finalists: How many of them train the finalists of a search again.
        images: Number of training images, without early stopping.
        provisional: Whether the settings of the arms depend on a search that is not over.
        aliases: Effects that a fractional factorial cannot tell apart, up to interactions of two axes:
            `model.neck = model.pooling × model.parts`, with a minus sign for opposites.
        beside: Differences of arms that their names do not say (see `beside_name`), by name.
        told: What arms read that are told the truth in testing, by name: `maps: truth`.
        may_train: For a search or a path, whose trainings are not known yet: trials with the models, image sizes and
            patterns of parameters that they may have, each with its settings.
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
    beside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    told: Mapping[str, str] = field(default_factory=dict)
    may_train: tuple[tuple[Settings, TrialConfig], ...] = ()
    finalists: int = 0


@dataclass(frozen=True)
class Plan:
    """Everything that a study asks for.

    Attributes:
        study: Name of the study.
        phases: Its phases in order.
        warnings: What to know before running it.
        data: What is not used of the data and what else is worth knowing of them; `warnings` has it too.
        random: That networks start from random values on photographs; `warnings` has it too.
        keys_are_provisional: Whether data are missing, so that a run will have other keys.
    """

    study: str
    phases: tuple[PhasePlan, ...]
    warnings: tuple[str, ...]
    data: tuple[str, ...] = ()
    random: tuple[str, ...] = ()
    keys_are_provisional: bool = False

    @property
    def arms(self) -> list[Arm]:
        """The arms of all ablations."""
        return [arm for phase in self.phases for arm in phase.arms]

    @property
    def trials(self) -> list[PlannedTrial]:
        """The trainings of all ablations."""
        return [trial for phase in self.phases for trial in phase.trials]

    @property
    def configs(self) -> list[TrialConfig]:
        """The trials that are known; of a search or a path, those with each model that it may have."""
        return [trial.config for trial in self.trials] + [item for phase in self.phases for _, item in phase.may_train]

    @property
    def images(self) -> int:
        """Training images of all phases."""
        return sum(phase.images for phase in self.phases)


class Fingerprints:
    """Fingerprints of data sets and what else is known of them, each read once."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[DataConfig, DataFacts, Callable[[SetUse], Seen]]] = {}
        self._checked: dict[str, list[tuple[int, int]]] = {}

    def of_trial(self, config: TrialConfig) -> str:
        """Return one fingerprint for all data sets of a trial."""
        others = [config.stage_data(stage) for stage in config.training.stages if stage.data]
        return joint_fingerprint([self.of(data) for data in (config.data, *others)])

    def of_split(self, config: TrialConfig, split: Split) -> str:
        """Return what identifies the images and labels that a trial is tested on."""
        if len(config.data.sets) == 1:
            return self.of_trial(config)
        if split == "test":
            return self.of(config.data.tested[split])
        return joint_fingerprint([self.of(use.data) for use in config.data.sets if use.train])

    def key_of(self, config: TrialConfig) -> str:
        """Return the key of a trial."""
        return trial_key(config, self.of_trial(config))

    def of(self, data: DataConfig) -> str:
        """Return the fingerprint of a trial's data, which does not depend on image size and holdout."""
        return fingerprint_of_sets(data, [self._read(use.data)[1].fingerprint for use in data.sets])

    def check(self, config: TrialConfig) -> None:
        """Refuse data on which training or testing would be of no use, those of stages among them.

        Raises:
            EntryError: A batch has more identities or images than there are to train on; the path is the trial's.
            DataNotGiven: The study does not say where the data are.
            DataError: A person is in training and test, no query could find a match, the holdout is of no use, or an
                image lacks a side-car that the trial needs, or has a wrong one.
        """
        data, others = config.data, [config.stage_data(stage) for stage in config.training.stages if stage.data]
        needs = config.needed_by_table
        told = {table: sorted(kinds) for table, kinds in needs.items()}
        name = " ".join([*(item.model_dump_json(exclude={*RESIZING}) for item in (data, *others)), str(told)])
        if name not in self._checked:
            learnt: list[tuple[int, int]] = []
            if data.holdout:
                _ = data.validation_rule  # which refuses sets that cannot be ranked together
            seen = [self._read(use.data)[2](use._replace(needs=needs)) for use in data.sets]
            _check_apart(data.sets, seen)
            learnt += _left_to_train(data.sets, seen)
            for other in others:
                uses = [use._replace(test=False, needs=needs) for use in other.sets if use.train]
                learnt += _left_to_train(uses, [self._check_stage(use, data.sets, seen) for use in uses])
            self._checked[name] = learnt
        for identities, images in self._checked[name]:
            try:
                config.training.batch.check_fits(identities, images)
            except EntryError as error:
                raise EntryError(str(error), "training", "batch", *error.path) from None

    def _check_stage(self, use: SetUse, uses: Sequence[SetUse], seen: Sequence[Seen]) -> Seen:
        """Refuse data of a stage that hold people or images that the trial is tested or validated on; return the rest.

        What a data set has in its own training and test, byte for byte, is said of it and no error, as elsewhere.

        Raises:
            DataError: There is such a person or image.
        """
        check = self._read(use.data)[2]
        own = check(use)
        for tested, other in zip(uses, seen, strict=True):
            if other.tested and other.tested.keys() == own.own_test.keys():
                check(use._replace(test=True))  # one data set, so a number means one person
            if both := (own.trained.keys() & other.tested.keys()) - own.own_test.keys():
                raise _shared(use, own.trained, tested, "tested on", other.tested, both)
            if both := (own.trained.keys() - own.held.keys()) & other.held.keys():
                # The same set cut otherwise, by another holdout or split_seed, or a copy of its images.
                way = "give both the same holdout and split_seed, or take one of the two sets out"
                raise _shared(use, own.trained, tested, "held out for validation", other.held, both, way)
        return own

    def _read(self, data: DataConfig) -> tuple[DataConfig, DataFacts, Callable[[SetUse], Seen]]:
        name = data.model_dump_json(exclude={*OF_ANY_SET})
        if name not in self._known:
            self._known[name] = data, *data.facts_and_check()
        return self._known[name]

    def remarks(self) -> list[str]:
        """Say of the data sets that were asked for what is not used and what else is worth knowing."""
        known = [(data, facts) for data, facts, _ in self._known.values()]
        names = names_of([data.as_entries for data, _ in known])
        named = zip(names, known, strict=True)
        told = ((f", {name}" if len({*names}) > 1 else "", facts) for name, (_, facts) in named if str(facts))
        return list(dict.fromkeys(f"data{whose}: {facts}" for whose, facts in told))


def _left_to_train(uses: Sequence[SetUse], seen: Sequence[Seen]) -> list[tuple[int, int]]:
    """Return how many identities and images all data sets have to train on; nothing where no files were read."""
    known = [own.learnt for use, own in zip(uses, seen, strict=True) if use.train]
    counts = [count for count in known if count is not None]
    return [(sum(count[0] for count in counts), sum(count[1] for count in counts))] if len(counts) == len(known) else []


def _check_apart(uses: Sequence[SetUse], seen: Sequence[Seen]) -> None:
    """Refuse several data sets of which one trains on images that another tests on, or trains on too.

    Raises:
        DataError: There is such an image.
    """
    for (one, own), (two, other) in itertools.permutations(zip(uses, seen, strict=True), 2):
        for what, others in (("trained on", other.trained), ("tested on", other.tested)):
            if both := own.trained.keys() & others.keys():
                raise _shared(one, own.trained, two, what, others, both)


def _shared(
    one: SetUse,
    trained: Mapping[str, str],
    two: SetUse,
    what: str,
    others: Mapping[str, str],
    both: AbstractSet[str],
    way: str = "take one of the two sets out",
) -> DataError:
    names = SetNames(use.data.as_entries for use in (one, two))
    image = min(both, key=lambda content: trained[content])
    return DataError(
        f"{trained[image]} is trained on as an image of {names.of(one.data.as_entries)}, and it is {what} as "
        f"{others[image]} of {names.of(two.data.as_entries)} ({several(len(both), 'such image')}); {way}"
    )


class _PlanFingerprints(Fingerprints):
    """Fingerprints of the data and weights that are there; for others, the keys of trials are provisional."""

    def __init__(self) -> None:
        super().__init__()
        self.not_given: dict[str, None] = {}

    def of(self, data: DataConfig) -> str:
        try:
            return super().of(data)
        except DataNotGiven as error:
            self._note(error)
            return "not given"

    def key_of(self, config: TrialConfig) -> str:
        try:
            return super().key_of(config)
        except WeightsAbsent as error:  # those that `default` means, which a run fetches
            self._note(error)
            return trial_key(config, self.of_trial(config), weights_as_named(config.model))

    def _note(self, error: Exception) -> None:
        self.not_given[f"{error}; until then the keys of the trials are provisional"] = None


def make_plan(study: Question, best: Settings | None = None, given: Fingerprints | None = None) -> Plan:
    """Return the plan of a study; see `Study.plan`."""
    try:
        return _plan(study, best, given)
    except DataError as error:
        place = place_of_value(study.document, str(error).partition(": ")[0])
        raise type(error)(f"{place}: {error}") if place else error from None


def _plan(study: Question, best: Settings | None, given: Fingerprints | None) -> Plan:
    provisional = _PlanFingerprints()
    fingerprints = given or provisional
    beside = Beside()
    phases: list[PhasePlan] = []
    known: set[tuple[str, int]] = set()
    for phase in study.config.phases:
        if isinstance(phase, AblatePhase):
            planned = _ablation(study, phase, fingerprints, best, known)
            phases.append(replace(planned, told=beside.told(planned.arms, phase.evaluate)))
            if not study.is_tuned(phase):  # whose trainings are other ones once the search is over
                known |= {(trial.key, trial.seed) for trial in phases[-1].trials}
        else:
            phases.append(_search(study, phase))
    arms = [arm for phase in phases for arm in phase.arms]
    check_told_alike(study, {phase.name: phase.arms for phase in phases}, best, beside)
    _check_data(study, phases, fingerprints)
    data = tuple(fingerprints.remarks())
    plan = Plan(study.name, tuple(phases), (), data, keys_are_provisional=bool(provisional.not_given))
    random = tuple(_without_weights(plan.configs))
    warnings = (
        *study.document.left_behind,
        *provisional.not_given,
        *data,
        *random,
        *_single_seeds(study),
        *_warnings(arms),
        *_told_the_truth(phases),
    )
    return replace(plan, warnings=warnings, random=random)


def _check_data(study: Question, plans: Iterable[PhasePlan], fingerprints: Fingerprints) -> None:
    """Refuse data on which a phase could not train or test, and read those of searches, which have no arms."""
    bases = [study.space(phase).config({}) for phase in study.config.phases]
    for config in bases:
        fingerprints.of_trial(config)
    for index, (base, plan) in enumerate(zip(bases, plans, strict=True)):
        if plan.arms:
            with contextlib.suppress(DataNotGiven, EntryError):  # its batches are of no matter, unless it is an arm
                fingerprints.check(base)
        for arm in plan.arms or (Arm("base", {}, base),):
            try:
                with contextlib.suppress(DataNotGiven):
                    fingerprints.check(arm.config)
            except EntryError as error:
                trial = Written.of_arm(study, index, arm) if plan.arms else Written.in_phase(study, index, {})
                raise StudyError(trial.wrong(Mistake(error.path, str(error)))) from None


def planned_trials(
    phase: AblatePhase, arms: list[Arm], fingerprints: Fingerprints, seeds: Iterable[int] | None = None
) -> list[PlannedTrial]:
    """Return the trainings of an ablation, one seed after another, so that an interrupted ablation is balanced.

    `seeds` are all that the phase may come to if omitted.
    """
    data = {arm.name: fingerprints.of_trial(arm.config) for arm in arms}
    keys = {arm.name: fingerprints.key_of(arm.config) for arm in arms}
    trials = [
        PlannedTrial(phase.name, arm, seed, keys[arm.name], arm.config, phase.evaluate, data[arm.name])
        for seed in (range(1, phase.seeds.last + 1) if seeds is None else seeds)
        for arm in arms
    ]
    return [_redrawn(trial, fingerprints) for trial in trials] if phase.redraw_data else trials


def _redrawn(trial: PlannedTrial, fingerprints: Fingerprints) -> PlannedTrial:
    """Return a replicate on the data that its seed draws; seed 1 has the data that the study names."""
    config = trial.config.model_copy(update={"data": trial.config.data.redrawn(trial.seed - 1)})
    data = fingerprints.of_trial(config)
    return replace(trial, config=config, key=fingerprints.key_of(config), data_fingerprint=data)


def _ablation(
    study: Question, phase: AblatePhase, fingerprints: Fingerprints, best: Settings | None, known: set[tuple[str, int]]
) -> PhasePlan:
    arms = study.arms(phase, best)
    outline = phase.description.outline(study.asked(phase, best))
    whose = ", each on data of its own" if phase.redraw_data else " on the same data"
    trials = planned_trials(phase, arms, fingerprints)
    images = {(trial.key, trial.seed): trial.config.training.images for trial in trials}
    unique = {trial: count for trial, count in images.items() if study.is_tuned(phase) or trial not in known}
    count, total = len(unique), sum(unique.values())
    if outline.most_arms is not None:
        count = outline.candidates + outline.most_arms * phase.seeds.last
        total = count * arms[0].config.training.images
    return PhasePlan(
        name=phase.name,
        kind="ablate",
        about=f"{outline.about}, {phase.seeds}{whose * (phase.seeds.last > 1)}, tested on {phase.evaluate}",
        arms=tuple(arms),
        trials=tuple(trials),
        count=count,
        images=total,
        provisional=(phase.needs_best and best is None) or outline.most_arms is not None or study.is_tuned(phase),
        aliases=outline.aliases,
        beside=_beside(arms, study.config.axes),
        may_train=_may_train(study, phase) if outline.most_arms is not None else (),
    )


def _beside(arms: Sequence[Arm], axes: Mapping[str, Axis]) -> dict[str, tuple[str, ...]]:
    centre = next((arm for arm in arms if arm.name == BASELINE), None)
    found = {arm.name: beside_name(arm, centre, axes) for arm in arms} if centre else {}
    return {name: entries for name, entries in found.items() if entries}


def _search(study: Question, phase: SearchPhase) -> PhasePlan:
    shares = study.shares(phase)
    counts = [phase.sampler.count(share.space, phase.trials) for share in shares]
    finals = [min(phase.finalists, count) * phase.seeds for count in counts]
    trials = list(map(operator.add, counts, finals))
    images = [share.space.config(share.held).training.images for share in shares]
    pruned = f", {_told(phase.pruner)}" if phase.pruner.stops else ""
    each = "" if phase.each is None else f" for each {phase.each}"
    if study.config.ablation_tuned_by(phase):
        each = f" for each of {several(len(shares), 'arm')} of {phase.each}"
    again = f", then the best {phase.finalists} again on {several(phase.seeds, 'fresh seed')}" * bool(phase.finalists)
    return PhasePlan(
        name=phase.name,
        kind="search",
        about=f"{_told(phase.sampler)}{each}{pruned}, maximises {phase.objective}{again}",
        arms=(),
        trials=(),
        count=sum(trials),
        images=sum(map(operator.mul, trials, images)),
        provisional=False,
        may_train=_may_train(study, phase),
        finalists=sum(finals),
    )


def _may_train(study: Question, phase: SearchPhase | AblatePhase) -> tuple[tuple[Settings, TrialConfig], ...]:
    parameters = ("training.stages", "training.optimizer.rates")
    return tuple(
        proposed_trials(study, phase, lambda path: path.startswith(("model.", "data.image_size", *parameters)))
    )


def _told(component: SamplerConfig | PrunerConfig) -> str:
    """Return the kind of a sampler or pruner, with its settings other than defaults."""
    content = component.model_dump(mode="json", exclude_defaults=True, exclude={"kind"})
    settings = ", ".join(f"{name} {value}" for name, value in content.items())
    return f"{component.kind} ({settings})" if settings else component.kind


def _without_weights(configs: Sequence[TrialConfig]) -> Iterator[str]:
    names = SetNames(use.data.as_entries for config in configs for use in config.data.sets)
    bare = [config for config in configs if not config.model.pretrained and _photographed(config)]
    if bare:
        sets = sorted({names.of(data.as_entries) for config in bare for data in _photographed(config)})
        which, start = ("every trial", "starts") if len(bare) == len(configs) else ("some trials", "start")
        yield (
            f"NO PRETRAINED WEIGHTS: {which} on {', '.join(sets)} {start} from random values, far below any published "
            "number; `model.weights: default` takes those of ImageNet"
        )


def _photographed(config: TrialConfig) -> list[DataConfig]:
    return [use.data for use in config.data.sets if use.train and not use.data.is_drawn]


def _told_the_truth(phases: Iterable[PhasePlan]) -> Iterator[str]:
    """Say which arms are told the truth in testing where others are not."""
    for phase in phases:
        if phase.told and len(phase.told) < len(phase.arms):
            arm, read = next(iter(phase.told.items()))
            named = f"'{arm}' is" if len(phase.told) == 1 else f"'{arm}' and {len(phase.told) - 1} more are"
            yield f"{phase.name}: {named} told the truth in testing ({read}), and the others are not; marked {TOLD}"


def _single_seeds(study: Question) -> Iterator[str]:
    for phase in study.config.phases:
        if isinstance(phase, AblatePhase) and phase.seeds.last == 1:
            needed = seeds_that_decide(len(study.config.claims)) if study.claims_of(phase) else 2
            yield f"{phase.name}: one seed gives no interval and decides no claim; take at least seeds: {needed}"


def _warnings(arms: list[Arm]) -> Iterator[str]:
    for arm in arms:
        for readout in arm.config.readouts:
            if unreached := [tap.key for tap in arm.config.untrained_taps(readout)]:
                yield f"{arm.name}: readout '{readout}', a control, uses {', '.join(unreached)}, which no loss trains"
