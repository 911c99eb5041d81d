"""Turns pydantic's errors into messages a person can act on: file, line, path, value, rule, nearest valid choice."""

from collections.abc import Iterator, Mapping, Sequence

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from reid_search.errors import StudyError, nearest
from reid_search.study.component import EntryError, in_yaml
from reid_search.study.language.document import Document, EntryPath

_NO_ENTRIES = ("function-", "literal[", "constrained-", "lax-or-strict", "union[", "tagged-union[", "list[", "[key]")
_MOST_SHOWN = 8
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


def study_error(document: Document, error: ValidationError, prefix: Sequence[str | int] = ()) -> StudyError:
    """Return one error that lists every mistake with its place; `prefix` is the path of what was validated."""
    lines = list(dict.fromkeys(_lines(document, error, tuple(prefix))))
    shown = lines[:_MOST_SHOWN]
    if len(lines) > _MOST_SHOWN:
        shown.append(f"… and {len(lines) - _MOST_SHOWN} more")
    return StudyError("\n".join(shown))


def first_problem(error: ValidationError, places: Mapping[EntryPath, str] | None = None) -> str:
    """Return the first mistake as `path: rule`, for a config that was not read from a file.

    Args:
        error: The mistakes.
        places: Where entries of the config were written, as far as that is known; it is said first.
    """
    return next(_lines(Document({}, places or {}), error, ())).removeprefix("<config>: ")


def _lines(document: Document, error: ValidationError, prefix: tuple[str | int, ...]) -> Iterator[str]:
    for detail in error.errors():
        steps = (step for step in detail["loc"] if not (isinstance(step, str) and step.startswith(_NO_ENTRIES)))
        path = (*prefix, *steps)
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, ValidationError):
            yield from _lines(document, cause, path)
        elif isinstance(cause, EntryError):
            yield _line(document, (*path, *cause.path), str(cause))
        elif detail["type"] == "missing" and isinstance(path[-1], int):
            yield _line(document, path[:-1], f"{_shortened(detail['input'])} has too few entries")
        else:
            yield _line(document, path, _rule(detail))


def _line(document: Document, path: tuple[str | int, ...], rule: str) -> str:
    named = (*path, rule.partition(": ")[0])  # an entry of what is wrong: `base.model: parts: 6 stripes do not fit`
    place = document.place(named if named in document.places else path)
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
    return f"{_shortened(value)} {_RULES.get(kind, message[0].lower() + message[1:])}"


def _shortened(value: object) -> str:
    text = in_yaml(value)
    return text if len(text) <= 60 else text[:57] + "..."
