"""Browsing a storage's trials on MLflow's own pages, served only to this machine."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from reid_search.errors import ReidSearchError, RequestError
from reid_search.records import Storage
from reid_search.tracking.place import database_uri
from reid_search.tracking.view import ARMS, SEARCH, VIEW_TAG, page

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PATIENCE = 10.0
# Otherwise MLflow's helpers for language models start three more processes.
_SETTINGS = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}


def ui_command(storage: Path, port: int, host: str = "127.0.0.1") -> list[str]:
    """Return the command that serves MLflow's pages for a storage.

    Raises:
        RequestError: Other machines can reach the host; whoever reaches MLflow's pages can change and delete runs.
    """
    if host not in _LOOPBACK:
        raise RequestError(f"host {host}: MLflow's pages are served on this machine only; allowed: 127.0.0.1")
    return [
        sys.executable, "-m", "mlflow", "server",
        "--backend-store-uri", database_uri(Storage(storage).database),
        "--artifacts-destination", Storage(storage).artifacts.as_uri(),
        "--host", host,
        "--port", str(port),
        "--workers", "1",
        "--uvicorn-opts", "--log-level warning",
    ]  # fmt: skip


def page_addresses(storage: Path, port: int, host: str = "127.0.0.1") -> dict[str, str]:
    """Return the address of each study's page, with its arms if it has any; none if there is no database yet."""
    database, server = Storage(storage).database, f"http://{host}:{port}"
    if not database.exists():
        return {}
    from mlflow import MlflowClient

    found: dict[str, str] = {}
    for experiment in MlflowClient(database_uri(database)).search_experiments():
        if "study" in experiment.tags:
            view = next((key for key in (ARMS, SEARCH) if f"{VIEW_TAG}{key}" in experiment.tags), None)
            found[experiment.name] = page(server, experiment.experiment_id, view)
    return dict(sorted(found.items()))


def serve_ui(storage: Path, host: str = "127.0.0.1", port: int = 5000) -> None:
    """Serve MLflow's pages for a storage until Ctrl-C or SIGTERM.

    Raises:
        RequestError: Nothing was run there yet, the port is taken, or other machines can reach the host.
        ReidSearchError: MLflow ended by itself.
    """
    command = ui_command(storage, port, host)
    database, log = Storage(storage).database, Storage(storage).server_log
    if not database.exists():
        raise RequestError(f"{database}: there is no MLflow database; `reid-search run` or `reid-search sync` makes it")
    _check_port(host, port)
    with log.open("w", encoding="utf-8") as output:
        # In a process group of its own, so that its worker processes end with it.
        process = subprocess.Popen(
            command, env={**_SETTINGS, **os.environ}, stdout=output, stderr=output, start_new_session=True
        )
    with _ending(process) as asked_to_end:
        status = process.wait()
        if not asked_to_end.is_set():
            raise ReidSearchError(f"MLflow's server on {host}:{port} ended with exit code {status}; {log} says why")


def _check_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise RequestError(f"port {port} on {host}: {error.strerror}; choose another with --port") from error


@contextlib.contextmanager
def _ending(process: "subprocess.Popen[bytes]") -> Iterator[threading.Event]:
    """End a server with the block. Ctrl-C ends the block, and so does SIGTERM, which would not stop the server."""
    asked = threading.Event()

    def end(signum: int, frame: FrameType | None) -> None:
        del signum, frame
        raise KeyboardInterrupt

    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, end) if in_main else None
    try:
        yield asked
    except KeyboardInterrupt:
        asked.set()
    finally:
        if in_main:
            signal.signal(signal.SIGTERM, before)
        _stop(process)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    _signal_group(process, signal.SIGTERM)
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        _signal_group(process, signal.SIGKILL)
        process.wait()


def _signal_group(process: "subprocess.Popen[bytes]", signum: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signum)
