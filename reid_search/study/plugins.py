"""What other distributions add by entry points; one that is broken is named with its distribution."""

from importlib.metadata import EntryPoint, distributions, entry_points

from reid_search.errors import StudyError


def plugins(group: str) -> dict[str, list[EntryPoint]]:
    """Return the entry points of a group by name; several if distributions use the same one.

    Raises:
        StudyError: The entry points of a distribution cannot be read.
    """
    found: dict[str, list[EntryPoint]] = {}
    for point in _of_group(group):
        found.setdefault(point.name, []).append(point)
    return found


def load_plugin(points: list[EntryPoint], built_in: bool) -> object:
    """Import what the entry points of one name stand for.

    Raises:
        StudyError: The name is also a built-in's or another distribution's, or the import fails for any reason.
    """
    point = points[0]
    if built_in or len(points) > 1:
        others = ["reid_search itself"] * built_in + [_distribution(other) for other in points[1:]]
        raise wrong(point, f"{', '.join(others)} has this name too; rename one, or uninstall its distribution")
    try:
        return point.load()
    except Exception as error:
        raise wrong(point, f"cannot be imported: {type(error).__name__}: {error}") from error


def wrong(point: EntryPoint, message: str) -> StudyError:
    """Return the error that an entry point of a distribution is wrong."""
    named = f"entry point '{point.name} = {point.value}' of {point.group}"
    return StudyError(f"{named}, distribution {_distribution(point)}: {message}")


def _of_group(group: str) -> list[EntryPoint]:
    try:
        return list(entry_points(group=group))
    except Exception:
        for distribution in distributions():
            try:
                list(distribution.entry_points)
            except Exception as error:
                name = distribution.metadata["Name"]
                raise StudyError(f"distribution {name}: its entry_points.txt cannot be read: {error}") from error
        raise


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "unknown"
