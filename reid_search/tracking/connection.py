"""Connecting to MLflow: its import, its noise, its patience, and the tables of a new database."""

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from reid_search.records import Storage
from reid_search.tracking.place import database_uri, is_own_database

if TYPE_CHECKING:
    from mlflow import MlflowClient

# Variables that the user set stay. Without these, MLflow retries a server that is down for minutes.
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
    """Return a client, and make the tables of the storage's own database if it is new.

    Call it under `Storage.writing_to_mlflow`, so that only one process makes them.

    Raises:
        MlflowException: MLflow does not know this kind of address, or another release made the database.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)
    from mlflow import MlflowClient

    database, unfinished = Storage(storage).database, Storage(storage).unfinished_database
    if is_own_database(storage, uri) and not database.exists():
        # Under another name first: a database that was interrupted while its tables were made would stay unusable.
        unfinished.unlink(missing_ok=True)
        MlflowClient(database_uri(unfinished)).search_experiments(max_results=1)
        unfinished.replace(database)
    return MlflowClient(uri)
