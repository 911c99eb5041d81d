"""The claims of a run that are not decided yet, and which arms decide them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reid_search.records import ContrastDrawn, LogWriter
from reid_search.scheduling.observer import Best
from reid_search.study import AblatePhase, Arm, Study
from reid_search.study.question.claims import Contrast


@dataclass
class OpenClaims:
    """The claims that no phase of a run has decided yet."""

    study: Study
    names: list[str]

    def decided_by(self, phase: AblatePhase, arms: Sequence[Arm], best: Best | None, log: LogWriter) -> None:
        """Write down the claims that this phase decides; the last one also those whose arms it lacks.

        Args:
            phase: The phase, which begins now.
            arms: Its arms.
            best: The search's best, for a phase around it.
            log: What this run writes down.
        """
        last = phase == self.study.config.deciding_phases[-1]
        drawn = [
            ContrastDrawn(
                claim=name,
                phase=phase.name,
                effect=dict(contrast.effect),
                control=dict(contrast.control),
                missing=tuple(contrast.missing),
            )
            for name, contrast in self._contrasts(phase, arms, best).items()
            if not contrast.missing or last or self.study.config.claims[name].phase == phase.name
        ]
        self.names = [name for name in self.names if name not in {item.claim for item in drawn}]
        log.append(*drawn)

    def _contrasts(self, phase: AblatePhase, arms: Sequence[Arm], best: Best | None) -> Mapping[str, Contrast]:
        around = (best.settings, best.tuned) if best else (None, None)
        deciding = [name for name in self.names if name in self.study.claims_of(phase)]
        return {name: self.study.contrast(name, phase, arms, *around) for name in deciding}
