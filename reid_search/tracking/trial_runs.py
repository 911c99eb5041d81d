"""Which MLflow runs a trial has: one for all who ask for the same readouts of it.

Arms that differ only in how they are tested share a training. Each still has a run of its own, with its own numbers
under the plain names.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reid_search.records import ArmAsked, Ask, FinalistAsked, Proposal, StudyState, Trial, TrialId, asked_readouts

_NAMES_SHOWN = 3
_SEARCHED = (Proposal, FinalistAsked)


@dataclass(frozen=True)
class TrialRun:
    """A trial, for those who ask for the same readouts of it.

    Attributes:
        id: The tag of its MLflow run: `<key>-s<seed>`, or `<key>-s<seed>:<the record's names of the readouts>` if
            somebody else asked for other readouts first.
        asks: Who asks for these readouts now; if nobody does any more, who did.
        readouts: Name of each readout → name in the record, with the askers' own readout first.
        asked: `now`, `before`, or `never` if the log names nobody.
        with_phase: Whether its name includes the phase, since the study has several of this kind.
    """

    id: str
    trial: TrialId
    asks: Sequence[Ask]
    readouts: Mapping[str, str]
    asked: str
    with_phase: bool = False

    @property
    def name(self) -> str:
        """Its name in MLflow's tables: `#7`, `baseline s2`, or `decide: baseline s2`."""
        names = self.labels
        text = ", ".join(names[:_NAMES_SHOWN])
        if len(names) > _NAMES_SHOWN:
            text += f" and {len(names) - _NAMES_SHOWN} more"
        if any(isinstance(ask, ArmAsked | FinalistAsked) for ask in self.asks):
            text += f" s{self.trial.seed}"
        if self.with_phase:
            text = f"{', '.join(self.phases)}: {text}"
        return {"now": text, "before": f"{text} (superseded)"}.get(self.asked, self.id)

    @property
    def labels(self) -> list[str]:
        """The arms and proposals; proposals of an earlier space name it, so that each number is unique."""
        return list(dict.fromkeys(self._label(ask) for ask in self.asks))

    @property
    def phases(self) -> list[str]:
        """The phases that ask."""
        return list(dict.fromkeys(ask.phase for ask in self.asks))

    @property
    def settings(self) -> Mapping[str, str]:
        """Label of each axis on which all askers agree, by path."""
        found: dict[str, set[str]] = {}
        for path, label in (item for ask in self.asks for item in ask.settings.items()):
            found.setdefault(path, set()).add(label)
        return {path: next(iter(labels)) for path, labels in found.items() if len(labels) == 1}

    def _label(self, ask: Ask) -> str:
        if self.asked == "before" and isinstance(ask, _SEARCHED) and ask.space:
            return f"{ask.label} of space {ask.space[:6]}"
        return ask.label


def trial_runs(state: StudyState, trials: Iterable[TrialId]) -> dict[TrialId, list[TrialRun]]:
    """Return the runs of each trial, that of the first asker first; a trial that has not begun has runs too."""
    ever: dict[TrialId, list[Ask]] = {trial: [] for trial in trials}
    for ask in state.history.asks:
        if ask.trial in ever:
            ever[ask.trial].append(ask)
    kinds = Counter("search" if phase.get("kind") == "search" else "ablate" for phase in state.phases)
    several = {kind for kind, count in kinds.items() if count > 1}
    return {trial: _runs(trial, asks, state, several) for trial, asks in ever.items()}


def _runs(name: TrialId, ever: Sequence[Ask], state: StudyState, several: set[str]) -> list[TrialRun]:
    trial = state.trials.get(name)
    now = _by_readouts(state.askers[name] if name in state.asked_now else (), trial)
    before = {stored: asks for stored, asks in _by_readouts(ever, trial).items() if stored not in now}
    found: list[TrialRun] = []
    for asked, groups in (("now", now), ("before", before)):
        for stored, asks in groups.items():
            run_id = f"{name}:{','.join(stored)}" if found else str(name)
            with_phase = bool(several & {"search" if isinstance(ask, _SEARCHED) else "ablate" for ask in asks})
            found.append(TrialRun(run_id, name, asks, asked_readouts(asks[0], trial), asked, with_phase))
    first = trial.first_readout if trial else None
    return found or [TrialRun(str(name), name, (), {first: first} if first else {}, "never")]


def _by_readouts(asks: Iterable[Ask], trial: Trial | None) -> dict[tuple[str, ...], list[Ask]]:
    found: dict[tuple[str, ...], list[Ask]] = {}
    for ask in asks:
        found.setdefault(tuple(asked_readouts(ask, trial).values()), []).append(ask)
    return found
