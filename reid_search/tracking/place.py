"""Where MLflow keeps a study: in a database beside the study, or on the server that the environment names."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from reid_search.records import Storage

_VARIABLE = "MLFLOW_TRACKING_URI"


def tracking_uri(storage: Path) -> str:
    """Return the variable `MLFLOW_TRACKING_URI` if it is set, else the absolute address of `<storage>/mlflow.db`."""
    return os.environ.get(_VARIABLE) or database_uri(Storage(storage).database)


def database_uri(path: Path) -> str:
    """Return the address of a SQLite file.

    The path stays unquoted, spaces included; for a path quoted without need, MLflow makes a stray folder. Releases of
    SQLAlchemy differ in quoting `%` and `?`, so SQLAlchemy itself writes those addresses.
    """
    if not {"%", "?"} & set(str(path)):
        return f"sqlite:///{path}"
    from sqlalchemy import URL

    return URL.create("sqlite", database=str(path)).render_as_string()


def artifact_location(storage: Path, uri: str, study: str) -> str | None:
    """Return where the artifacts of a study go; None if a server decides."""
    if urlsplit(uri).scheme in ("http", "https"):
        return None
    return (Storage(storage).artifacts / study).as_uri()


def is_own_database(storage: Path, uri: str) -> bool:
    """Say whether an address is the storage's own database, which only reid-search writes to."""
    return uri == database_uri(Storage(storage).database)


def shown(uri: str) -> str:
    """Return an address for messages: without a password, and a local database as its file."""
    if urlsplit(uri).scheme.startswith("sqlite"):
        from sqlalchemy import make_url

        return make_url(uri).database or uri
    return without_password(uri, uri)


def without_password(text: str, uri: str) -> str:
    """Return a text without the user and password that an address may hold."""
    secret, _, _ = urlsplit(uri).netloc.rpartition("@")
    return text.replace(f"{secret}@", "") if secret else text
