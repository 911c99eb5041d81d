"""Refuses arms and proposals with missing weights files, too large batches, or readouts that no loss trains."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from reid_search.errors import StudyError, nearest
from reid_search.study.component import EntryError
from reid_search.study.language.document import Document, split_path
from reid_search.study.language.validation_errors import Mistake
from reid_search.study.question.phases import AblatePhase
from reid_search.study.question.places_of_entries import PlacedError, Written
from reid_search.study.question.proposed import proposed_trials
from reid_search.study.question.question import Question
from reid_search.study.trial.config import ReadoutConfig
from reid_search.study.trial.taps import TapSpec
from reid_search.study.trial.trial import TrialConfig
from reid_search.study.trial.weights import ENDINGS, WeightsConfig, is_of_trial, kept_none, why_absent


def check_written(config: TrialConfig, document: Document, prefix: tuple[str, ...]) -> None:
    """Refuse a trial whose weights files are missing, or whose readouts no loss trains or mean the same.

    Args:
        config: The trial.
        document: The file that it is written in.
        prefix: Where in the file: `base`, or nothing.

    Raises:
        StudyError: The first problem, with its place.
    """
    for entry, problem in (*_problems(config), *_equal_readouts(config)):
        place = (*prefix, *entry)
        raise StudyError(f"{document.place(place)}: {document.written(place)}: {problem}")


def check_phase(study: Question, index: int) -> None:
    """Refuse a phase for its arms or proposals, as `check_written` does for the base.

    Arms around a search's best are checked around the base, as planned. If a search has very many combinations of
    levels, a sample is checked.

    Args:
        study: The study.
        index: The number of the phase.

    Raises:
        PlacedError: The first problem of an arm or proposal.
    """
    for trial, config in _trials(study, index):
        for mistake in (*_problems(config), *_too_large_batches(config)):
            raise PlacedError(trial.wrong(mistake))


def _problems(config: TrialConfig) -> Iterator[Mistake]:
    """Yield what is wrong with a trial, each with its entry."""
    for name, (backbone, weights) in config.model.pretrained.items():
        if problem := _problem_with(weights, backbone):
            yield Mistake(("model", name), problem)
    yield from _misplaced_files(config)
    for name, readout in config.readouts.items():
        untrained = {} if readout.control else config.untrained_taps(name)
        for tap, modules in itertools.islice(untrained.items(), 1):
            yield Mistake(("readouts", name, "taps"), _untrained(config, tap, modules))


def _misplaced_files(config: TrialConfig) -> Iterator[Mistake]:
    """Yield what its data, or those of a stage, name and is not there."""
    for entry, problem in config.data.misplaced():
        yield Mistake(("data", *entry), problem)
    for index, stage in enumerate(config.training.stages):
        for entry, problem in config.stage_data(stage).misplaced() if stage.data else ():
            yield Mistake(("training", "stages", index, "data", *entry), problem)


def _equal_readouts(config: TrialConfig) -> Iterator[Mistake]:
    """Yield readouts with one meaning, however their taps are written: one number would be counted twice."""
    meanings: dict[ReadoutConfig, str] = {}
    for name, readout in config.readouts.items():
        taps = tuple(tap.key for tap in config.readout_taps(name))
        other = meanings.setdefault(readout.unmarked.model_copy(update={"taps": taps}), name)
        if other != name:
            message = f"means the same as readout '{other}'; leave out one of them, or give it other settings"
            yield Mistake(("readouts", name), message)


def _problem_with(weights: WeightsConfig, backbone: str) -> str | None:
    """Say why weights are not where they should be; those of `default` may be fetched later."""
    try:
        weights.default(backbone) if weights.is_default else weights.path(backbone)
    except StudyError as error:
        return str(error) if weights.is_default else f"{weights.file}: {_no_file(Path(weights.file))}"
    return None


def _too_large_batches(config: TrialConfig) -> Iterator[Mistake]:
    """Yield that a batch has more than the training set, where the settings of the data tell what this has.

    The base is not asked, since answers train without its holdout.
    """
    for data in (config.stage_data(stage) for stage in config.training.resolved_stages):
        if data.train_identities is not None:
            left = data.train_identities - round(data.holdout * data.train_identities)
            try:
                config.training.batch.check_fits(left, data.train_images)
            except EntryError as error:
                yield Mistake(("training", "batch", *error.path), str(error))


def _no_file(path: Path) -> str:
    """Say why a path is not a file, and which files are close to it."""
    if is_of_trial(path):
        return kept_none(path)
    if path.is_dir():
        near = _nearest_file(path, _weights_in(path))
        return f"expected a file, found a folder; {near}, or a trial's folder with kept weights"
    folder = next(parent for parent in path.parents if parent.is_dir())
    if folder != path.parent:
        there = "" if folder == Path(folder.anchor) else f", but {folder} does"
        return f"neither the file nor its folder exists{there}; {_nearest_file(path, [])}"
    return f"{why_absent(path)}; {_nearest_file(path, _weights_in(folder, path.suffix))}"


def _weights_in(folder: Path, *endings: str) -> list[str]:
    """Return the names of the files in a folder that end as weights do, or in one of some other ways."""
    return [item.name for item in folder.iterdir() if item.suffix in (*ENDINGS, *endings) and item.is_file()]


def _nearest_file(path: Path, names: Sequence[str]) -> str:
    near = nearest(path.name, names, ending=path.suffix) if names else "allowed: a file"
    return f"{near}, or null for random weights"


def _untrained(config: TrialConfig, tap: TapSpec, modules: Iterable[str]) -> str:
    trained = config.trained_taps
    alike = [other.key for other in trained if other.scope == tap.scope] or [other.key for other in trained]
    untrained = f"'{tap.key}' passes through {', '.join(sorted(modules))}, which no loss trains"
    if off := config.switched_off:
        untrained += f" (losses of recipe '{config.from_recipe}' that are switched off here: {', '.join(off)})"
    remedies = "place a loss on it, read a trained tap, or mark the readout `control: true` if that is intended"
    return f"{untrained}; {remedies}; {nearest(tap.key, alike)}"


def _trials(study: Question, index: int) -> Iterator[tuple[Written, TrialConfig]]:
    phase = study.config.phases[index]
    if isinstance(phase, AblatePhase) and not phase.description.leads_to_best:
        yield from ((Written.of_arm(study, index, arm), arm.config) for arm in study.arms(phase))
        return
    for settings, config in proposed_trials(study, phase, _matters):
        yield replace(Written.in_phase(study, index, settings), beside=settings), config


def _matters(path: str) -> bool:
    """Say whether an axis may change which taps there are, are read or have a loss, or how large a batch can be."""
    top, *rest = split_path(path)
    if top == "losses":
        return len(rest) == 1 or rest[-1] in ("kind", "on", "weight")
    return top in ("model", "readouts") or rest[:1] in (["stages"], ["preset"], ["holdout"], ["batch"])
