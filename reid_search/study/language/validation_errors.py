"""Turns pydantic's errors into messages a person can act on: file, line, path, value, rule, nearest valid choice."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from reid_search.errors import StudyError, nearest
from reid_search.study.component import EntryError, in_yaml
from reid_search.study.language.document import Document, EntryPath

_NO_ENTRIES = ("function-", "literal[", "constrained-", "lax-or-strict", "union[", "tagged-union[", "list[", "[key]")
_MOST_SHOWN = 8
_LONGEST = 990
_RULES = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "should be a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "should be a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "should be true or false"),
    "int_parsing_size": "is too large for any whole number here",
    **dict.fromkeys(("list_type", "tuple_type"), "should be a list"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "should be a map of keys and values"),
    "finite_number": "should be a finite number",
    "string_type": "should be text",
    "string_pattern_mismatch": (
        "is not a valid name; a name holds letters, digits, '.', '_' and '-' only, and begins with a letter or digit"
    ),
    "too_long": "has too many entries",
}


class Mistake(NamedTuple):
    """What is wrong with an entry: its path, and the rule that it breaks, which may begin with an entry of it."""

    path: EntryPath
    rule: str

    @property
    def named(self) -> EntryPath:
        """The path that the rule names: `model.parts` in `base.model: parts: 6 stripes do not fit`."""
        return (*self.path, self.rule.partition(": ")[0])


def study_error(document: Document, error: ValidationError, prefix: Sequence[str | int] = ()) -> StudyError:
    """Return one error that lists every mistake with its place; `prefix` is the path of what was validated."""
    return StudyError(listed(_line(document, mistake) for mistake in mistakes(error, tuple(prefix))))


def listed(lines: Iterable[str]) -> str:
    """Return the message that lists mistakes, each once: the first of very many, the ends of very long ones."""
    distinct = [_cut(line) for line in dict.fromkeys(lines)]
    ends = itertools.accumulate(map(len, distinct))
    shown = max(1, sum(end <= _LONGEST for end in itertools.islice(ends, _MOST_SHOWN)))
    more = [f"… and {len(distinct) - shown} more"] if len(distinct) > shown else []
    return "\n".join([*distinct[:shown], *more])


def _cut(line: str) -> str:
    half = _LONGEST // 2 - 1
    return line if len(line) <= _LONGEST else f"{line[:half]} … {line[-half:]}"


def first_problem(error: ValidationError) -> str:
    """Return the first mistake as `path: rule`, for a config that was not read from a file."""
    return _line(Document({}), next(mistakes(error))).removeprefix("<config>: ")


def mistakes(error: ValidationError, prefix: EntryPath = ()) -> Iterator[Mistake]:
    """Yield every mistake that pydantic found; `prefix` is the path of what was validated."""
    for detail in error.errors():
        steps = (step for step in detail["loc"] if not (isinstance(step, str) and step.startswith(_NO_ENTRIES)))
        path = (*prefix, *steps)
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, ValidationError):
            yield from mistakes(cause, path)
        elif isinstance(cause, EntryError):
            yield Mistake((*path, *cause.path), str(cause))
        elif detail["type"] == "missing" and isinstance(path[-1], int):
            yield Mistake(path[:-1], f"{in_yaml(detail['input'])} has too few entries")
        else:
            yield Mistake(path, _rule(detail))


def _line(document: Document, mistake: Mistake) -> str:
    path, rule = mistake
    place = document.place(mistake.named if mistake.named in document.places else path)
    return f"{place}: {document.written(path)}: {rule}" if path else f"{place}: {rule}"


def _rule(detail: ErrorDetails) -> str:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "missing":
        return "this key is missing"
    if kind == "value_error":
        return str(context.get("error", detail["msg"]))
    if kind in ("literal_error", "enum"):
        allowed = [item.strip(" '") for item in str(context.get("expected", "")).replace(" or ", ", ").split(",")]
        return f"{in_yaml(value)} is not a choice; {nearest(str(value), allowed)}"
    message = detail["msg"].replace("Input should be", "should be")
    return f"{in_yaml(value)} {_RULES.get(kind, message[0].lower() + message[1:])}"
