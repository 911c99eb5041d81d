"""Finds what is wrong with a study before anything runs: axes, phases, arms and claims without a valid trial."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from reid_search.errors import StudyError, nearest
from reid_search.study.component import EntryError
from reid_search.study.language.document import Document, EntryPath, split_path
from reid_search.study.language.validation_errors import Mistake
from reid_search.study.metrics import measured_under
from reid_search.study.question.claims import OWN_CONTROL
from reid_search.study.question.deciding import seeds_that_decide
from reid_search.study.question.designs.arms import Arm
from reid_search.study.question.designs.named import check_named_trial
from reid_search.study.question.level_checks import check_levels_differ
from reid_search.study.question.phases import AblatePhase, SearchPhase
from reid_search.study.question.places_of_entries import PlacedError, Written, placed
from reid_search.study.question.proposed import proposed_trials
from reid_search.study.question.question import Question
from reid_search.study.question.recipe_axes import check_one_recipe
from reid_search.study.question.space import NoTrial, Space
from reid_search.study.question.trial_checks import check_phase, check_written
from reid_search.study.rules import EvaluationRule
from reid_search.study.trial.config import DataConfig
from reid_search.study.trial.recipes import KEY, WHERE_TAKEN
from reid_search.study.trial.trial import TrialConfig


def check_study(study: Question) -> None:
    """Check that every arm and proposal of a study is a valid trial, and that every claim can be decided.

    Raises:
        StudyError: The first mistake, with its place.
    """
    _check_arms(study)
    _check_spaces(study)
    check_levels_differ(study)
    base = TrialConfig.model_validate(study.config.base)
    check_written(base, study.document, ("base",))
    for index, phase in enumerate(study.config.phases):
        with _at(study, index):
            check_phase(study, index)
            if isinstance(phase, SearchPhase):
                _check_pruner(study, phase)
    _check_claims(study)
    _check_seeds(study)


def _check_spaces(study: Question) -> None:
    for index, phase in enumerate(study.config.phases):
        with _at(study, index):
            space = study.space(phase)
            space.order()
            check_one_recipe(study.axes_deciding(phase))
            _check_set(study, space, phase, index)
            space.check()
            if isinstance(phase, AblatePhase):
                phase.description.check(space)
                if phase.description.of_claims and not study.claims_of(phase):
                    message = "the study makes no claim that this phase could decide; write `claims:`"
                    raise StudyError(f"design: {phase.design}: {message}")
                if phase.redraw_data:
                    space.config({}).data.redrawn(0)  # refuses data that are not drawn
                if phase.description.nothing and phase.around != "best":  # which is not known yet
                    phase.description.check_compares(study.arms(phase), phase.around)
            else:
                phase.sampler.check(space)
                for share in study.shares(phase):
                    share.space.config(share.held)  # such as an arm of an ablation that sets other entries
                data = space.config({}).data
                split, slash, metric = phase.objective.rpartition("/")
                if problem := _not_measured(metric, data.validation_rule, data.name, f"{split}{slash}"):
                    raise StudyError(f"objective: {problem}")
            validates = isinstance(phase, SearchPhase) or phase.evaluate == "val" or phase.description.leads_to_best
            if validates and study.space(phase, "val").config({}).data.holdout == 0:
                message = "0: this phase needs a validation split; give a share such as 0.2"
                wrong = Written.in_phase(study, index, {}).wrong(Mistake(("data", "holdout"), message))
                raise PlacedError(wrong)


def _check_pruner(study: Question, phase: SearchPhase) -> None:
    trials = proposed_trials(study, phase, lambda path: path.startswith("training."))
    try:
        phase.pruner.check(max(config.training.epochs for _, config in trials))
    except EntryError as error:
        raise StudyError(f"{'.'.join(map(str, ('pruner', *error.path)))}: {error}") from None


def _check_arms(study: Question) -> None:
    space = Space(study.config.base, study.config.axes)
    for name, content in study.config.arms.items():
        try:
            check_named_trial(name, content, space)
        except NoTrial as error:
            culprit: EntryPath = ("arms", name) if error.settings else ("arms", name, KEY)
            raise placed(Written(study, {}, arm=name, name=f"arm '{name}'"), error, culprit) from None
        except EntryError as error:
            raise StudyError(f"{study.document.place(error.path)}: {'.'.join(map(str, error.path))}: {error}") from None


def _check_claims(study: Question) -> None:
    """Check that some phase has the arms of each claim, unless these depend on a search."""
    phases = [phase for phase in study.config.phases if isinstance(phase, AblatePhase) and study.claims_of(phase)]
    arms = {phase.name: study.arms(phase) for phase in phases}
    for name in study.config.claims:
        deciding = [phase for phase in phases if name in study.claims_of(phase)]
        try:
            contrasts = {phase.name: study.contrast(name, phase, arms[phase.name]) for phase in deciding}
        except NoTrial as error:
            raise placed(Written(study, {}, name=f"an arm of claims.{name}"), error) from None
        missing = {phase: contrast.missing for phase, contrast in contrasts.items()}
        waits = any(phase.around == "best" for phase in deciding)
        place = study.document.place(("claims", name))
        if all(missing.values()) and not waits:
            raise StudyError(f"{place}: claims.{name}: {_no_phase(missing)}")
        whole = [contrast for contrast in contrasts.values() if not contrast.missing]
        if not waits and any(contrast.control == contrast.effect for contrast in whole):
            raise StudyError(f"{place}: claims.{name}.vanishes: {OWN_CONTROL}")
        for phase in deciding:
            _check_metric(study, name, phase, arms[phase.name])


def _check_seeds(study: Question) -> None:
    """Refuse a number of seeds that can decide no claim; one seed is a pilot, which decides nothing and says so."""
    claims = len(study.config.claims)
    for index, phase in enumerate(study.config.phases):
        if not isinstance(phase, AblatePhase):
            continue
        place = f"{study.document.place(('phases', index, 'seeds'))}: phases.{index}.seeds"
        if not study.claims_of(phase):
            if phase.seeds.is_open:
                message = f"{phase.seeds.last}: seeds are added until claims are decided, and this phase decides none"
                raise StudyError(f"{place}: {message}; allowed: a number, such as seeds: {phase.seeds.first}")
            continue
        needed = seeds_that_decide(claims, several_looks=phase.seeds.is_open)
        if 1 < phase.seeds.last < needed:
            which = f"none of {claims} claims" if claims > 1 else "no claim"
            message = f"{phase.seeds} can decide {which}, whatever the results"
            raise StudyError(f"{place}: {message}; allowed: at least {needed}, or 1 for a pilot without verdicts")


def _check_metric(study: Question, name: str, phase: AblatePhase, arms: Sequence[Arm]) -> None:
    """Refuse a claim over a metric that the data set of its arms does not measure."""
    needed, metric = study.contrast(name, phase, arms).effect, study.config.claims[name].metric
    for arm in arms:
        if arm.name in needed and (problem := _not_claimable(metric, phase.evaluate, arm.config.data)):
            place = study.document.place(("claims", name, "metric"))
            raise StudyError(f"{place}: claims.{name}.metric: {problem}")


def _not_claimable(metric: str, split: str, data: DataConfig) -> str | None:
    """Say why a phase does not measure `rank1`, or `duke/rank1` of one of several tests; None if it does."""
    test, slash, name = metric.rpartition("/")
    if not slash:
        return _not_measured(name, data.rule if split == "test" else data.validation_rule, data.name)
    tests = [known.partition("/")[2] for known in data.tested if "/" in known]
    if split != "test" or test not in tests:
        known = nearest(metric, [f"{item}/{name}" for item in tests] if split == "test" else [name])
        return f"no test of the name '{test}' in data.test of a phase that evaluates {split}; {known}"
    return _not_measured(name, data.tested[f"test/{test}"].rule, test, f"{test}/")


def _not_measured(name: str, rule: EvaluationRule, data: str, before: str = "") -> str | None:
    """Say that a data set's rule does not measure a metric, or not after every epoch for `val/`; None if it does."""
    measured = [item.name for item in measured_under(rule) if item.may_be_objective or before != "val/"]
    if name in measured:
        return None
    allowed = nearest(f"{before}{name}", [f"{before}{known}" for known in measured])
    return f"'{before}{name}' is not measured on data set '{data}', whose rule is '{rule}'; {allowed}"


def _no_phase(missing: Mapping[str, Sequence[str]]) -> str:
    if not missing:
        return "no ablation could decide it; allowed: a phase such as {kind: ablate, design: claims}"
    phase, arms = min(missing.items(), key=lambda item: len(item[1]))
    allowed = "settings of its arms, or a phase with `design: claims`, which has the arms of all claims"
    return f"needs the arm {'; '.join(arms)}, which the phase '{phase}' does not have; allowed: {allowed}"


def _check_set(study: Question, space: Space, phase: SearchPhase | AblatePhase, index: int) -> None:
    """Check that the `set` of a phase makes a valid trial and adds no loss or readout by a typing error."""
    base = TrialConfig.model_validate(study.base_of(study.config.ablation_tuned_by(phase) or phase))
    for path in phase.set:
        if path == KEY:
            raise StudyError(f"{study.document.written(('phases', index, 'set'))}.{path}: {WHERE_TAKEN}")
        top, *rest = split_path(path)
        known = {"losses": list(base.losses), "readouts": list(base.readouts)}.get(top, [])
        if known and len(rest) > 1 and rest[0] not in known:
            message = f"'{rest[0]}' is not in base.{top}; {nearest(rest[0], known)}"
            raise StudyError(f"{study.document.written(('phases', index, 'set'))}.{path}: {message}")
    try:
        space.config({})
    except NoTrial as error:
        culprit = ("phases", index, *(("set",) if phase.set else ()))
        raise placed(Written.in_phase(study, index, {}), error, culprit) from None


@contextmanager
def _at(study: Question, phase: int) -> Iterator[None]:
    """Prefix a mistake with the place of the entry that it names, or else with that of its phase."""
    try:
        yield
    except PlacedError:
        raise
    except NoTrial as error:
        raise placed(Written.in_phase(study, phase, {}), error) from None
    except StudyError as error:
        raise StudyError(_with_place(study.document, str(error), phase)) from None


def _with_place(document: Document, message: str, phase: int) -> str:
    """Return a message that begins with an entry of the file, or of a phase, with its place."""
    places = {document.written(entry): place for entry, place in document.places.items()}
    named, whole = message.partition(": ")[0], document.written(("phases", phase))
    if place := places.get(named):
        return f"{place}: {message}"
    if place := places.get(f"{whole}.{named}"):
        return f"{place}: {whole}.{message}"
    return f"{document.place(('phases', phase))}: {message}"
