"""Finding a backbone's tensors among the names in a file: prefixes, published names, and those of our own models."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from reid_search.backbones.weights.published import PUBLISHED, Published
from reid_search.errors import StudyError

PREFIXES = (
    "module.",
    "_orig_mod.",
    "model.",
    "backbone.",
    "base.",
    "encoder_q.",
    "image_encoder.",
    "visual.",
    "encoder.",
)

# Modules of our models that hold a backbone or a part of it, in order of preference.
_HOLDERS = ("shared", "backbone", "branches.0.blocks", "appearance.blocks", "first.blocks", "blocks")


@dataclass(frozen=True)
class Names:
    """Which tensors of a file are a backbone's.

    Attributes:
        found: Name in the file, by name in the network; some of these may be names that the network does not have.
        prefixes: What was taken off the file's names, in this order.
        outside: Names in the file of all others.
        alternatives: Prefixes, or branches, that could have been taken instead.
        published: The published names that the file has; None where they are the network's own.
    """

    found: Mapping[str, str]
    prefixes: tuple[str, ...]
    outside: tuple[str, ...]
    alternatives: tuple[str, ...] = ()
    published: Published | None = None

    def places(self, name: str) -> tuple[str, ...]:
        """Return the names in the file of what makes up the tensor that the network has under a name."""
        place = self.found[name]
        return (place,) if self.published is None else self.published.places(name, place)

    def value(self, name: str, state: Mapping[str, Tensor]) -> Tensor:
        """Return the tensor that the network has under a name."""
        parts = [state[place] for place in self.places(name)]
        return parts[0] if self.published is None else self.published.value(name, parts)


def stripped(names: Collection[str], wanted: Collection[str], take: str | None = None) -> Names:
    """Take off the prefixes under which most of the wanted names are found, as few of them as possible.

    Where none of `PREFIXES` leads to half of them, any other prefix may, if there is only one that does: a name of a
    tensor says which one it is, whatever its author called the module around it, and shapes are checked anyway.

    Args:
        names: The names in the file.
        wanted: Those of the network.
        take: The branch to take of a published network that has several, or a module around a network.

    Raises:
        StudyError: The network is under several prefixes that are not known.
    """

    def count(given: Names) -> int:
        return len(given.found.keys() & set(wanted))

    known = max((reading for given in _without_prefixes(names) for reading in _readings(given, take)), key=count)
    if 2 * count(known) > len(wanted):
        return known
    others = [
        max(_readings(given, take), key=count)
        for given in _under_any_prefix(names)
        if 2 * len(given.found) > len(wanted)
    ]
    most = max(map(count, others), default=0)
    if 2 * most <= len(wanted):
        return known
    fitting = [given for given in others if count(given) == most]
    asked = [given for given in fitting if f".{take}." in f".{given.prefixes[0]}"] or fitting
    if len(asked) > 1:
        first, second, *_ = (given.prefixes[0] for given in asked)
        raise StudyError(
            f"holds such a network under '{first}' and under '{second}'; say which to take, as {{file: …, take: "
            f"{_apart(first, second)}}}"
        )
    return asked[0]


def _apart(first: str, second: str) -> str:
    """Return the first step of a prefix that another does not have."""
    return next((step for step in first.split(".") if step not in second.split(".")), first.removesuffix("."))


def _under_any_prefix(names: Collection[str]) -> Iterator[Names]:
    """Yield the names under each module in which any of them are."""
    starts = {name[: place + 1]: None for name in names for place, letter in enumerate(name) if letter == "."}
    for prefix in starts:
        inside = {name[len(prefix) :]: name for name in names if name.startswith(prefix)}
        yield Names(inside, (prefix,), tuple(name for name in names if not name.startswith(prefix)))


def _without_prefixes(names: Collection[str]) -> Iterator[Names]:
    """Yield the names with none of the prefixes taken off, then with one, then with two."""
    waiting = [Names({name: name for name in names}, (), ())]
    while waiting:
        before = waiting.pop(0)
        yield before
        for prefix in PREFIXES:
            inside = {name[len(prefix) :]: own for name, own in before.found.items() if name.startswith(prefix)}
            if inside:
                rest = [own for name, own in before.found.items() if not name.startswith(prefix)]
                waiting.append(Names(inside, (*before.prefixes, prefix), (*before.outside, *rest)))


def _readings(given: Names, take: str | None) -> Iterator[Names]:
    """Yield what the names are by each kind of published names that they fit, and as they are."""
    for published in PUBLISHED:
        branch = take if take in published.branches else next(iter(published.branches), "")
        found = published.names(given.found, branch)
        if found is not None:
            others = tuple(name for name in published.branches if name != branch) if take is None else ()
            yield replace(given, found=found, alternatives=others, published=published)
    yield given


def is_our_own(names: Collection[str], blocks: Collection[str]) -> bool:
    """Say whether a file holds every block of a backbone under the block's own name, as our models do."""
    steps = {step for name in names for step in name.split(".")}
    return all(block in steps for block in blocks)


def of_blocks(names: Collection[str], blocks: Collection[str], take: str | None) -> Names:
    """Find every block once: in `take`, or where the first branch is, of a model that has it in several places."""
    holders: dict[str, dict[str, dict[str, str]]] = {}
    for name in names:
        steps = name.split(".")
        place = next((index for index, step in enumerate(steps) if step in blocks), None)
        if place is not None:
            holder, block = ".".join(steps[:place]), steps[place]
            holders.setdefault(block, {}).setdefault(holder, {})[".".join(steps[place:])] = name
    found: dict[str, str] = {}
    used: dict[str, None] = {}
    others: dict[str, None] = {}
    for block in blocks:
        first, *rest = sorted(holders[block], key=lambda holder: _rank(holder, take))
        found |= holders[block][first]
        used[first] = None
        others |= dict.fromkeys(rest)
    outside = tuple(name for name in names if name not in set(found.values()))
    alternatives = tuple(holder for holder in others if holder not in used) if take is None else ()
    return Names(found, tuple(f"{holder}." if holder else "" for holder in used if holder), outside, alternatives)


def _rank(holder: str, take: str | None) -> tuple[int, list[int], str]:
    own = holder.removeprefix("model.")
    if take is not None and own == take.removeprefix("model."):
        return -1, [], own
    numbers = [int(digits) for digits in re.findall(r"\d+", own)]
    return _HOLDERS.index(own) if own in _HOLDERS else len(_HOLDERS), numbers, own
