"""The claims of a study as its log has them: what was said, when, and between which arms it is decided."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .gather import Event


@dataclass(frozen=True)
class Claim:
    """A claim of a study.

    Attributes:
        name: Its name.
        content: Its entry in the study file, defaults filled in.
        since: When it was first written down as it stands, ISO time (UTC).
        phase: The phase that decides it; None before that phase began, and where no phase has its arms.
        effect: Weight of each arm in the effect that the claim is about; empty before its phase began.
        control: Weight of each arm in the effect that must vanish; empty where the claim names no control.
        missing: Arms that it needs and its phase does not have, as text.
    """

    name: str
    content: Mapping[str, Any]
    since: str
    phase: str | None = None
    effect: Mapping[str, float] = field(default_factory=dict)
    control: Mapping[str, float] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    @property
    def smallest_effect(self) -> float:
        """The smallest effect that matters, in the metric's unit."""
        return float(self.content["smallest_effect"])

    @property
    def says(self) -> str:
        """The claim as a sentence; empty where none was given."""
        return str(self.content.get("says", ""))

    @property
    def source(self) -> str:
        """Where it was made; empty where the study does not say."""
        return str(self.content.get("source", ""))

    @property
    def arms(self) -> list[str]:
        """The arms that decide it."""
        return list(dict.fromkeys((*self.effect, *self.control)))


def claims_of(events: Iterable[Event]) -> list[Claim]:
    """Return the claims of the last run that made any, in the order of the study file.

    Args:
        events: Lines of `asked.jsonl`, in order.
    """
    since: dict[tuple[str, str], str] = {}
    claims: dict[str, Claim] = {}
    contrasts: dict[str, Event] = {}
    for event in events:
        if event["event"] == "run":
            claims, contrasts = {}, {}
        elif event["event"] == "claim":
            name, content = str(event["claim"]), dict(event["content"])
            first = since.setdefault((name, repr(sorted(content.items()))), str(event["time"]))
            claims[name] = Claim(name, content, first)
        elif event["event"] == "contrast":
            contrasts[str(event["claim"])] = event
    return [_with_arms(claim, contrasts.get(claim.name, {})) for claim in claims.values()]


def looks_at(events: Iterable[Event], phase: str) -> int:
    """Return how often the number of seeds of a phase was decided: 1, and 1 more each time that it was raised.

    Args:
        events: Lines of `asked.jsonl`, in order.
        phase: The phase.
    """
    raised, most, of_this_run = 0, 0, 0
    for event in events:
        if event["event"] == "run":
            raised, most, of_this_run = raised + (of_this_run > most > 0), max(most, of_this_run), 0
        elif event["event"] == "ask" and event["phase"] == phase and event["kind"] == "ablate":
            of_this_run = max(of_this_run, int(event["seed"]))
    return 1 + raised + (of_this_run > most > 0)


def _with_arms(claim: Claim, contrast: Event) -> Claim:
    return Claim(
        claim.name,
        claim.content,
        claim.since,
        phase=contrast.get("phase"),
        effect=dict(contrast.get("effect", {})),
        control=dict(contrast.get("control", {})),
        missing=tuple(contrast.get("missing", ())),
    )
