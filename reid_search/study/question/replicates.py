"""How many seeds an ablation trains: a number, or from one number to another until its claims are decided."""

from collections.abc import Mapping
from dataclasses import dataclass

from reid_search.errors import nearest
from reid_search.study.component import EntryError, in_yaml
from reid_search.study.question.deciding import looks_between, seeds_that_decide
from reid_search.words import several

SEARCH_SEEDS_START = 10_000
UNTIL = "decided"

_KEYS = ("from", "to", "until")
_COUNT = {"type": "integer", "minimum": 1, "maximum": SEARCH_SEEDS_START - 1}
WRITTEN = {
    "anyOf": [
        _COUNT,
        {
            "type": "object",
            "properties": {
                "from": {"description": "Seeds that every arm gets.", **_COUNT},
                "to": {"description": "The most that an arm gets, as long as a claim about it is undecided.", **_COUNT},
                "until": {"description": "What ends it.", "const": UNTIL},
            },
            "required": list(_KEYS),
            "additionalProperties": False,
        },
    ]
}
"""The JSON schema of what a study file says for them."""

_EXAMPLE = "{from: 9, to: 20, until: decided}"


@dataclass(frozen=True)
class Replicates:
    """Seeds of every arm.

    Attributes:
        first: Seeds that every arm gets.
        last: The most that an arm gets, as long as a claim about it is undecided.
    """

    first: int
    last: int

    def __str__(self) -> str:
        """Return `5 seeds`, or `9 to 20 seeds`."""
        return f"{self.first} to {several(self.last, 'seed')}" if self.is_open else several(self.last, "seed")

    def as_written(self) -> object:
        """Return what a study file says for it."""
        return {"from": self.first, "to": self.last, "until": UNTIL} if self.is_open else self.last

    @property
    def is_open(self) -> bool:
        """Whether claims decide how many there are."""
        return self.last > self.first

    def looks(self, claims: int) -> tuple[int, ...]:
        """Return the numbers of seeds at which so many claims are looked at; before the first, none can be decided."""
        if not self.is_open:
            return (self.last,)
        return looks_between(min(self.last, max(self.first, seeds_that_decide(claims, several_looks=True))), self.last)


def replicates(value: object) -> object:
    """Return what `seeds` of an ablation says.

    Raises:
        EntryError: It is no number of seeds, nor a map from one number to another.
        ValueError: It is a list.
    """
    if isinstance(value, Replicates):
        return value
    if isinstance(value, Mapping):
        return _until_decided(value)
    if isinstance(value, list):
        raise ValueError(f"{value}: expected the number of seeds, for example {len(value)}")
    count = _count(value)
    return Replicates(count, count)


def _count(value: object, *entry: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise EntryError(f"{in_yaml(value)} should be a whole number{'' if entry else f', or {_EXAMPLE}'}", *entry)
    if not 1 <= value < SEARCH_SEEDS_START:
        raise EntryError(f"{value}: allowed: 1 to {SEARCH_SEEDS_START - 1}", *entry)
    return value


def _until_decided(content: Mapping[object, object]) -> Replicates:
    for key in content:
        if key not in _KEYS:
            raise EntryError(f"unknown key; {nearest(str(key), _KEYS)}", str(key))
    for key in _KEYS:
        if key not in content:
            raise EntryError(f"this key is missing; write seeds: {_EXAMPLE}", key)
    if (until := content["until"]) != UNTIL:
        raise EntryError(f"{in_yaml(until)} is not a choice; {nearest(str(until), [UNTIL])}", "until")
    first, last = _count(content["from"], "from"), _count(content["to"], "to")
    if last <= first:
        allowed = f"allowed: at least {first + 1}, or seeds: {first}"
        raise EntryError(f"{last}: seeds are added from {first} on; {allowed}", "to")
    return Replicates(first, last)
