"""What arms are told beside the image in testing, and the refusal to compare those told the truth with the others.

Maps or keypoints of the renderer make a system an upper bound. Its numbers stand beside those of others only if the
study says `privileged: compared`.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reid_search.errors import StudyError
from reid_search.study.question.designs.arms import Arm
from reid_search.study.question.phases import AblatePhase, SearchPhase
from reid_search.study.question.proposed import proposed_trials
from reid_search.study.question.question import Question
from reid_search.study.question.space import Settings, labels_of
from reid_search.study.trial.side_cars import TOLD, TRUTH, SideCar
from reid_search.study.trial.trial import TrialConfig

COMPARED = "compared"
_MOST_NAMED = 3


@dataclass(frozen=True)
class Beside:
    """What trials read beside the images of a split and where it is from, looked up once for each data set."""

    _known: dict[tuple[str, frozenset[SideCar], str], str] = field(default_factory=dict)

    def of(self, config: TrialConfig, split: str) -> str:
        """Return `maps: truth with noise 0.5`; empty if nothing is read."""
        name = config.data.model_dump_json(), config.model.needs, split
        if name not in self._known:
            self._known[name] = config.read_beside(split)
        return self._known[name]

    def told(self, arms: Iterable[Arm], split: str) -> dict[str, str]:
        """Return what those arms read that are told the truth, by name."""
        found = {arm.name: self.of(arm.config, split) for arm in arms}
        return {name: read for name, read in found.items() if TRUTH in read}


def check_told_alike(study: Question, arms: Mapping[str, Sequence[Arm]], best: Settings | None, beside: Beside) -> None:
    """Refuse claims and phases that compare arms told the truth with others, unless the study is to compare them.

    Args:
        study: The study.
        arms: The arms of each ablation, by phase.
        best: The search's best settings, if known.
        beside: What trials read.

    Raises:
        StudyError: There is one, with its place, its arms and what each reads.
    """
    if study.config.privileged == COMPARED:
        return
    for name in study.config.claims:
        _check_claim(study, name, arms, best, beside)
    for index, phase in enumerate(study.config.phases):
        of_claims = isinstance(phase, AblatePhase) and phase.description.of_claims
        for compared in [] if of_claims else _compared_in(study, phase, arms.get(phase.name, ())):
            for split in _splits(phase, compared.values()):
                if problem := _told_apart(compared, lambda config, split=split: beside.of(config, split)):  # type: ignore[misc]
                    raise _refusal(study, ("phases", index), problem)


def _check_claim(
    study: Question, name: str, arms: Mapping[str, Sequence[Arm]], best: Settings | None, beside: Beside
) -> None:
    """Refuse a claim if the arms told the truth do not stand against each other alone, in the phase that decides it."""
    for phase in study.config.deciding_phases:
        if name not in study.claims_of(phase):
            continue
        contrast = study.contrast(name, phase, arms[phase.name], best)
        if contrast.missing:
            continue
        test = study.config.claims[name].metric.rpartition("/")[0]
        split = f"{phase.evaluate}/{test}" if test else phase.evaluate
        for weights in (contrast.effect, contrast.control):
            compared = {arm.name: arm.config for arm in arms[phase.name] if weights.get(arm.name)}
            read = {arm: beside.of(config, split) for arm, config in compared.items()}
            sums: dict[str, float] = {}
            for arm, text in read.items():
                sums[_told(text)] = sums.get(_told(text), 0.0) + weights[arm]
            if any(abs(total) > 1e-9 for total in sums.values()):  # weights may be thirds
                raise _refusal(study, ("claims", name), _groups(read))
        return


def _compared_in(
    study: Question, phase: SearchPhase | AblatePhase, arms: Sequence[Arm]
) -> Iterator[Mapping[str, TrialConfig]]:
    """Yield the trials that a phase compares with each other, by what tells them apart."""
    if isinstance(phase, AblatePhase) and not phase.description.leads_to_best:
        yield {arm.name: arm.config for arm in arms}
        return
    held = study.held_axes(phase) if isinstance(phase, SearchPhase) else ()
    shares: dict[object, dict[str, TrialConfig]] = {}
    for settings, config in proposed_trials(study, phase, lambda path: path.startswith(("model.", "data."))):
        shown = ", ".join(f"{path}={level.label}" for path, level in settings.items())
        shares.setdefault(labels_of(held, settings), {})[shown or "base"] = config
    yield from shares.values()


def _splits(phase: SearchPhase | AblatePhase, configs: Iterable[TrialConfig]) -> list[str]:
    if isinstance(phase, SearchPhase) or phase.evaluate == "val":
        return ["val"]
    return list(dict.fromkeys(itertools.chain.from_iterable(config.data.tested for config in configs)))


def _told_apart(compared: Mapping[str, TrialConfig], read: Callable[[TrialConfig], str]) -> str | None:
    """Say which of some trials read what, if they are not told alike."""
    found = {name: read(config) for name, config in compared.items()}
    return _groups(found) if len({_told(text) for text in found.values()}) > 1 else None


def _told(read: str) -> str:
    return read if TRUTH in read else ""


def _groups(read: Mapping[str, str]) -> str:
    """Return `'a' and 'b' read maps: truth, 'baseline' reads nothing beside the image`, those told the truth first."""
    groups: dict[str, list[str]] = {}
    for name, text in read.items():
        groups.setdefault(text, []).append(f"'{name}'")
    told = []
    for text, names in sorted(groups.items(), key=lambda group: TRUTH not in group[0]):
        more = len(names) - _MOST_NAMED
        named = names if more <= 0 else [*names[:_MOST_NAMED], f"{more} more"]
        listed = " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
        told.append(f"{listed} read{'s' if len(named) == 1 else ''} {text or 'nothing beside the image'}")
    return ", ".join(told)


def _refusal(study: Question, place: tuple[str | int, ...], groups: str) -> StudyError:
    return StudyError(
        f"{study.document.place(place)}: {study.document.written(place)}: compares arms that are told the truth in "
        f"testing with arms that are not told the same: {groups}; write `privileged: compared` if that is the question "
        f"(they are then marked {TOLD}), or compare arms that are told alike"
    )
