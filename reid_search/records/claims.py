"""A claim as the log has it: what it says, since when, and which arms decide it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue


@dataclass(frozen=True)
class Claim:
    """A claim of a study.

    Attributes:
        content: Its entry in the study file, defaults filled in.
        since: When it was first written down in this form, ISO time (UTC).
        phase: The phase that decides it; None before that phase began, or if no phase has its arms.
        effect: Weight of each arm in the effect that the claim is about; empty before its phase began.
        control: Weight of each arm in the effect that must vanish; empty if the claim names no control.
        missing: Arms that it needs but its phase lacks, as text.
    """

    name: str
    content: Mapping[str, JsonValue]
    since: str
    phase: str | None = None
    effect: Mapping[str, float] = field(default_factory=dict)
    control: Mapping[str, float] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    @property
    def metric(self) -> str:
        """Name of the metric that decides it."""
        return str(self.content["metric"]).rpartition("/")[2]

    @property
    def test(self) -> str:
        """Name of the test that decides it, one of several; empty for the first, or where there is one."""
        return str(self.content["metric"]).rpartition("/")[0]

    @property
    def readout(self) -> str:
        """Name of the readout that decides it."""
        return str(self.content["readout"])

    @property
    def smallest_effect(self) -> float:
        """The smallest effect that matters, in the metric's unit."""
        return float(str(self.content["smallest_effect"]))

    @property
    def vanishes_within(self) -> float:
        """What the effect may still be under the control's settings."""
        found = self.content.get("vanishes_within")
        return self.smallest_effect if found is None else float(str(found))

    @property
    def says(self) -> str:
        """The claim as a sentence; empty if the study gives none."""
        return str(self.content.get("says", ""))

    @property
    def source(self) -> str:
        """Where it was made; empty if the study does not say."""
        return str(self.content.get("source", ""))

    @property
    def arms(self) -> list[str]:
        """The arms that decide it."""
        return list(dict.fromkeys((*self.effect, *self.control)))
