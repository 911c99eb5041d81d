"""Connecting to MLflow: its import, its noise, its patience, and the tables of a new database."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from reid_search.records import Storage
from reid_search.tracking.place import database_uri, is_own_database

if TYPE_CHECKING:
    from mlflow import MlflowClient

# What a person set stays as it is. MLflow would otherwise try a server that is down for minutes.
_SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_CONFIGURE_LOGGING": "false",
}
_NOISY = ("mlflow", "alembic", "urllib3.connectionpool")


def connect(storage: Path, uri: str) -> "MlflowClient":
    """Return a client; the tables of the storage's own database are made where it is new.

    Call it under `Storage.writing_to_mlflow`, so that one process makes them.

    Raises:
        MlflowException: The address is none that MLflow knows, or the database is of another release.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)
    from mlflow import MlflowClient

    if is_own_database(storage, uri) and not Storage(storage).database.exists():
        _make_database(Storage(storage), MlflowClient)
    return MlflowClient(uri)


def _make_database(storage: Storage, client: "Callable[[str], MlflowClient]") -> None:
    """Make a database under another name first: one that was cut while its tables were made would stay unusable."""
    unfinished = storage.unfinished_database
    unfinished.unlink(missing_ok=True)
    client(database_uri(unfinished)).search_experiments(max_results=1)
    unfinished.replace(storage.database)
