"""What the patterns of parameter names in a trial must name, known before it trains.

The names are those of the network itself, built without values in another process, so that a command that plans loads
no torch; the cache keeps them.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, cast

from reid_search.common.elsewhere import answer_of
from reid_search.common.places import cache_folder, keep_in_cache
from reid_search.errors import ReidSearchError, StudyError, nearest
from reid_search.records import code_of
from reid_search.study import ARCHITECTURES, LOSSES, LossConfig, ModelConfig, Plan, StageConfig, Study, TrialConfig
from reid_search.study.language.validation_errors import Mistake
from reid_search.study.question.places_of_entries import Written
from reid_search.study.question.space import Settings
from reid_search.study.trial.key import digest
from reid_search.study.trial.taps import select_taps
from reid_search.study.trial.training import OptimizerConfig

if TYPE_CHECKING:
    from reid_search.losses import Criterion
    from reid_search.models import ReidModel

Entry = tuple[str | int, ...]
_ANY_CLASSES = 2


@dataclass(frozen=True)
class ParameterNames:
    """The names of a trial's parameters.

    Attributes:
        model: Those of the model that may train.
        fixed: Those of the model that never do, such as the shift of a BNNeck.
        losses: Those of each loss in use, such as `losses.identity.classifiers.0.weight`.
    """

    model: Sequence[str]
    fixed: Sequence[str]
    losses: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, model: "ReidModel", criterion: "Criterion") -> "ParameterNames":
        """Return those of a model and its losses, of which no stage has frozen anything yet."""
        trains = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
        losses = {
            loss: [f"losses.{loss}.{name}" for name, _ in module.named_parameters()]
            for loss, module in criterion.losses.items()
        }
        fixed = [name for name, may_train in trains.items() if not may_train]
        return cls([name for name, may_train in trains.items() if may_train], fixed, losses)


def check_patterns(study: Study, planned: Plan) -> None:
    """Check the patterns of a study's base, of its arms, and of what its searches may train.

    Raises:
        StudyError: The first pattern that names no parameter, or stage that trains nothing, with its place.
    """
    document, base = study.document, TrialConfig.model_validate(study.config.base)
    written: list[tuple[Written, TrialConfig]] = []
    for index, phase in enumerate(planned.phases):
        arms = {trial.arm.name: (trial.arm, trial.config) for trial in phase.trials}
        written += [(Written.of_arm(study, index, arm), config) for arm, config in arms.values()]
        written += [(_proposed(study, index, settings), config) for settings, config in phase.may_train]
    of_base, *of_others = _problems_of([base, *(config for _, config in written)])
    for entry, problem in of_base:
        path = ("base", *entry)
        raise StudyError(f"{document.place(path)}: {document.written(path)}: {problem}")
    for (trial, _), found in zip(written, of_others, strict=True):
        for entry, problem in found:
            raise StudyError(trial.wrong(Mistake(entry, problem)))


def _proposed(study: Study, phase: int, settings: Settings) -> Written:
    return replace(Written.in_phase(study, phase, settings), beside=settings)


def check_trial_patterns(config: TrialConfig, placed: Callable[[Entry], str]) -> None:
    """Check the patterns of a single trial.

    Args:
        config: The trial.
        placed: Returns the place of an entry, for the message.

    Raises:
        StudyError: The first problem, with its place.
    """
    for entry, problem in _problems_of([config])[0]:
        raise StudyError(f"{placed(entry)}: {problem}")


def dotted(entry: Entry) -> str:
    """Return the path of an entry as a message writes it."""
    return ".".join(map(str, entry))


def problems(config: TrialConfig, names: ParameterNames) -> Iterator[tuple[Entry, str]]:
    """Yield what is wrong with the patterns of a trial, each with its entry.

    Args:
        config: The trial.
        names: The names of its parameters.
    """
    training = config.training
    for index, stage in enumerate(training.resolved_stages):
        place = ("training", "stages", index)
        for name, problem in _problems_of_stage(config, stage, names):
            yield (*place, name), problem
        if stage.optimizer is not None:
            for rate, problem in _problems_of_rates(config, stage.optimizer, names):
                yield (*place, "optimizer", "rates", rate), problem
    for rate, problem in _problems_of_rates(config, training.optimizer, names):
        yield ("training", "optimizer", "rates", rate), problem


def is_named(name: str, patterns: Iterable[str]) -> bool:
    """Say whether one of some patterns names a parameter."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _problems_of_stage(config: TrialConfig, stage: StageConfig, names: ParameterNames) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with `train` and `freeze` of a stage."""
    trained = [name for name in names.model if is_named(name, stage.train)]
    for entry, patterns, known in (("train", stage.train, names.model), ("freeze", stage.freeze, trained)):
        for pattern in patterns:
            if not is_pattern_of(pattern, known):
                yield entry, f"'{pattern}' names no parameter of the model that trains; {_near(pattern, known)}"
    losses = stage.losses or list(config.losses)
    if stage.train_losses and any(names.losses.get(loss) for loss in losses):
        return
    reached = [name for name in trained if _is_reached(name, config, losses)]
    nothing = "the losses of this stage reach no parameter that trains, so nothing would learn"
    if not reached:
        yield "train", f"{list(stage.train)}: {nothing}; allowed: patterns such as ['*']"
    elif stage.freeze and all(is_named(name, stage.freeze) for name in reached):
        yield "freeze", f"{list(stage.freeze)}: {nothing} at first; allowed: fewer patterns"


def is_pattern_of(pattern: str, names: Iterable[str]) -> bool:
    """Say whether a pattern names one of some parameters."""
    return any(fnmatchcase(name, pattern) for name in names)


def _is_reached(name: str, config: TrialConfig, losses: Iterable[str]) -> bool:
    """Say whether a gradient of some losses may reach a parameter of the model."""
    through = [tap.through for loss in losses for tap in config.loss_taps(loss)]
    return any(not modules or any(f"{name}.".startswith(f"{module}.") for module in modules) for modules in through)


def _problems_of_rates(
    config: TrialConfig, optimizer: OptimizerConfig, names: ParameterNames
) -> Iterator[tuple[int, str]]:
    """Yield the patterns of rates that name nothing; one of a loss that is switched off waits for it."""
    known = [*names.model, *names.fixed, *(name for own in names.losses.values() for name in own)]
    for index, (pattern, _) in enumerate(optimizer.rates):
        kind, _, rest = pattern.partition(".")
        loss = rest.partition(".")[0]
        waits = kind == "losses" and loss in config.losses and loss not in names.losses
        if not waits and not is_pattern_of(pattern, known):
            yield index, f"'{pattern}' names no parameter of the model or of a loss; {_near(pattern, known)}"


def _near(pattern: str, names: Iterable[str]) -> str:
    """Return the end of a message: patterns of all modules, and of them the nearest."""
    split = (name.split(".") for name in names)
    return nearest(pattern, {".".join([*steps[: 1 + (steps[0] == "losses")], "*"]) for steps in split})


def _problems_of(trials: Sequence[TrialConfig]) -> list[list[tuple[Entry, str]]]:
    """Return the problems of each trial; the names of all are asked for together."""
    asked = [config for config in trials if _has_patterns(config)]
    found = dict(zip(map(id, asked), _names_of(asked), strict=True))
    return [list(problems(config, found[id(config)])) if id(config) in found else [] for config in trials]


def _has_patterns(config: TrialConfig) -> bool:
    """Say whether a trial has patterns other than that of all parameters."""
    stages = config.training.resolved_stages
    optimizers = [config.training.optimizer, *(stage.optimizer for stage in stages if stage.optimizer)]
    return any(item.rates for item in optimizers) or any(item.train != ("*",) or item.freeze for item in stages)


def _names_of(trials: Sequence[TrialConfig]) -> list[ParameterNames]:
    """Return the names of the parameters of some trials, from the cache or from networks without values."""
    questions = [_question(config) for config in trials]
    places = [
        cache_folder() / "parameters" / f"{digest([code_of(config).model_dump(), question])}.json"
        for config, question in zip(trials, questions, strict=True)
    ]
    found: dict[str, Any] = {}
    for place in places:
        with suppress(OSError, ValueError):
            found[place.name] = json.loads(place.read_bytes())
    missing = {place: question for place, question in zip(places, questions, strict=True) if place.name not in found}
    if missing:
        try:
            answers = answer_of(__name__, list(missing.values()))
        except RuntimeError as error:
            raise ReidSearchError(f"the networks could not be built: {error}") from None
        for place, names in zip(missing, answers, strict=True):
            found[place.name] = names
            keep_in_cache(place, json.dumps(names))
    return [ParameterNames(**found[place.name]) for place in places]


def _question(config: TrialConfig) -> dict[str, object]:
    """Return what decides the names of a trial's parameters; pretrained weights do not."""
    used = {name: loss.model_dump(mode="json") for name, loss in config.losses.items() if config.loss_taps(name)}
    model = config.model.model_dump(mode="json") | dict.fromkeys(config.model.pretrained)
    return {"model": model, "image_size": config.data.image_size, "losses": used}


def answer(questions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Load torch, and return the names of the parameters of each network and its losses."""
    import torch

    from reid_search.losses import Criterion
    from reid_search.models import build_model

    answers = []
    for question in questions:
        config = cast("ModelConfig", ARCHITECTURES.validate(question["model"]))
        size = (question["image_size"][0], question["image_size"][1])
        losses = {name: cast("LossConfig", LOSSES.validate(loss)) for name, loss in question["losses"].items()}
        taps = {name: select_taps(loss.on, config.taps(size)) for name, loss in losses.items()}
        with torch.device("meta"), torch.random.fork_rng(devices=[]):
            model, criterion = build_model(config, image_size=size), Criterion(losses, taps, _ANY_CLASSES, seed=0)
        answers.append(asdict(ParameterNames.of(model, criterion)))
    return answers
