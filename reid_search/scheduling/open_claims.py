"""The claims that no phase of a run has decided yet, and the arms that decide them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reid_search.records import ContrastDrawn, LogWriter
from reid_search.scheduling.observer import Best
from reid_search.study import AblatePhase, Arm, Study
from reid_search.study.question.claims import Contrast


@dataclass
class OpenClaims:
    """The names of the claims that no phase of a run has decided yet."""

    study: Study
    names: list[str]

    def decided_by(self, phase: AblatePhase, arms: Sequence[Arm], best: Best | None, log: LogWriter) -> None:
        """Write down the claims that a phase, maybe around a search's best, decides as it begins.

        The last phase also takes the claims whose arms it lacks.
        """
        last = phase == self.study.config.deciding_phases[-1]
        looks = phase.seeds.looks(len(self.study.config.claims))
        drawn = [
            ContrastDrawn(claim=name, phase=phase.name, looks=looks, **vars(contrast))
            for name, contrast in self._contrasts(phase, arms, best).items()
            if not contrast.missing or last or self.study.config.claims[name].phase == phase.name
        ]
        self.names = [name for name in self.names if name not in {item.claim for item in drawn}]
        log.append(*drawn)

    def _contrasts(self, phase: AblatePhase, arms: Sequence[Arm], best: Best | None) -> Mapping[str, Contrast]:
        around = (best.settings, best.tuned) if best else (None, None)
        deciding = [name for name in self.names if name in self.study.claims_of(phase)]
        return {name: self.study.contrast(name, phase, arms, *around) for name in deciding}
