"""Finding the tensors in what a training script saved."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from reid_search.errors import StudyError, nearest

# In order of preference: averaged before raw, a teacher before its student.
WRAPPERS = (
    "state_dict_ema",
    "model_ema",
    "teacher",
    "target_encoder",
    "model",
    "state_dict",
    "module",
    "net",
    "student",
    "encoder",
)


@dataclass(frozen=True)
class Unwrapped:
    """The tensors of a file.

    Attributes:
        state: The tensors by name.
        wrapper: Entries that were opened one inside the other to reach them.
        alternatives: What could have been taken instead.
    """

    state: Mapping[str, Tensor]
    wrapper: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()


def unwrapped(content: object, take: str | None, path: Path) -> Unwrapped:
    """Return the tensors in what a file holds.

    Args:
        content: What it holds.
        take: The entry to open where there are several; if omitted, the first of `WRAPPERS`.
        path: The file, for messages.

    Raises:
        StudyError: It holds no tensors by name, or not the entry to take.
    """
    wrapper: list[str] = []
    alternatives: list[str] = []
    taken = take is None
    while True:
        try:
            found = _wrapped(content)
        except RecursionError as error:
            raise StudyError(f"{path}: holds an entry that holds itself, or thousands one in another") from error
        if not found:
            break
        chosen = take if take in found else found[0]
        taken = taken or chosen == take
        alternatives += [name for name in found if name != chosen]
        wrapper.append(chosen)
        content = content[chosen]  # type: ignore[index]
    state = _tensors(content)
    if not state:
        entries = f"the entries {', '.join(map(str, list(content)[:5]))}" if isinstance(content, Mapping) else ""
        kind = entries or f"a {type(content).__name__}"
        raise StudyError(
            f"{path}: holds no state dict ({kind}); allowed: tensors by name, or one of {_listed()} with them"
        )
    if take is not None and not taken and not any(f".{take}." in f".{name}" for name in state):
        there = [*wrapper, *alternatives]
        allowed = nearest(take, there) if there else "it holds one network: leave `take` out"
        raise StudyError(f"{path}: take: {take}: the file does not hold it; {allowed}")
    return Unwrapped(state, tuple(wrapper), tuple(alternatives) if take is None else ())


def _wrapped(content: object) -> list[str]:
    """Return the entries that hold tensors by name, or wrap them again; the preferred one first."""
    if not isinstance(content, Mapping):
        return []
    return [name for name in WRAPPERS if name in content and (_tensors(content[name]) or _wrapped(content[name]))]


def _tensors(content: object) -> dict[str, Tensor]:
    """Return the tensors of a mapping by name; none where its entries are something else in the main."""
    if not isinstance(content, Mapping):
        return {}
    return {str(name): value for name, value in content.items() if isinstance(value, Tensor)}


def _listed() -> str:
    return ", ".join(sorted(WRAPPERS))
