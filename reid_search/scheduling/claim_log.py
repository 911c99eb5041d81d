"""What a run writes down about claims: what was claimed before anything ran, and which arms decide it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reid_search.records import StudyStore
from reid_search.scheduling.progress import Best
from reid_search.study import AblatePhase, Arm, Study
from reid_search.study.question.claims import Contrast


def log_claims(study: Study, store: StudyStore) -> None:
    """Write down every claim of a study, at the start of a run."""
    rows = [{"claim": name, "content": claim.model_dump(mode="json")} for name, claim in study.config.claims.items()]
    if rows:
        store.asked.append_many("claim", rows)


@dataclass
class OpenClaims:
    """The claims that no phase of a run has decided yet.

    Attributes:
        study: The study.
        names: Names of the claims.
    """

    study: Study
    names: list[str]

    def log_decided_by(self, phase: AblatePhase, arms: Sequence[Arm], best: Best | None, store: StudyStore) -> None:
        """Write down the claims that this phase decides; the last one also those whose arms it lacks.

        Args:
            phase: The phase, which begins now.
            arms: Its arms.
            best: The search's best, for a phase around it.
            store: Where the study keeps everything.
        """
        found = self._contrasts(phase, arms, best)
        last = phase == self.study.config.deciding_phases[-1]
        rows = [
            {
                "claim": name,
                "phase": phase.name,
                "effect": dict(contrast.effect),
                "control": dict(contrast.control),
                "missing": list(contrast.missing),
            }
            for name, contrast in found.items()
            if not contrast.missing or last or self.study.config.claims[name].phase == phase.name
        ]
        self.names = [name for name in self.names if name not in {row["claim"] for row in rows}]
        if rows:
            store.asked.append_many("contrast", rows)

    def _contrasts(self, phase: AblatePhase, arms: Sequence[Arm], best: Best | None) -> Mapping[str, Contrast]:
        around = (best.settings, best.tuned) if best else (None, None)
        deciding = [name for name in self.names if name in self.study.claims_of(phase)]
        return {name: self.study.contrast(name, phase, arms, *around) for name in deciding}
