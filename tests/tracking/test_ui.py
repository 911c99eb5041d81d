"""MLflow's pages on this machine only, and a study that reaches MLflow through a server."""

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing

import pytest

from reid_search.errors import RequestError
from reid_search.records import StudyStore
from reid_search.tracking import BackgroundSink, serve_ui, sync_study, ui_command


def test_the_command_names_the_storage_and_this_machine(tmp_path):
    command = ui_command(tmp_path, 5001)
    assert command[:4] == [sys.executable, "-m", "mlflow", "server"]
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[command.index("--port") + 1] == "5001"
    assert command[command.index("--backend-store-uri") + 1] == f"sqlite:///{tmp_path}/mlflow.db"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_a_public_address_is_refused(storage, host):
    with pytest.raises(RequestError, match="this machine only"):
        serve_ui(storage, host=host)


def test_a_storage_without_a_database(tmp_path):
    with pytest.raises(RequestError, match="no MLflow database"):
        serve_ui(tmp_path)


def test_a_port_that_is_taken(storage):
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        with pytest.raises(RequestError, match=f"port {port} on 127.0.0.1.*--port"):
            serve_ui(storage, port=port)


_SERVE = "import sys; from pathlib import Path; from reid_search.tracking import serve_ui;"
_SERVE += "serve_ui(Path(sys.argv[1]), port=int(sys.argv[2]))"


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.slow  # the server imports MLflow twice and a web framework
def test_the_pages_answer_and_take_a_study_that_began_before_them(study, closed_port, tmp_path, make_study, track):
    """The server is down when the run begins, comes up, and is told everything; SIGTERM ends it with its workers."""
    url = f"http://127.0.0.1:{closed_port}"
    other = StudyStore(tmp_path / "other", "mgn")
    begun = make_study(other)
    sink = BackgroundSink(other, url, refresh=0.2)
    sink.sync_trial("a", 1, running=True)
    server = subprocess.Popen([sys.executable, "-c", _SERVE, str(study.store.storage), str(closed_port)])
    try:
        deadline = time.monotonic() + 120
        while not _answers(url):
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        begun.whole("a", 1)
        sink.sync_trial("a", 1)
        assert sink.close() == []
        tracked = track(study.store.storage, url)
        run = tracked.trial("a", 1)
        assert (run.info.status, [step for step, _ in tracked.history(run, "loss")]) == ("FINISHED", [1, 2, 3, 4])
        assert tracked.text(run, "cmc.csv").startswith("readout,split,rank")
        before = tracked.everything()
        assert sync_study(other, url).written == 0
        assert tracked.everything() == before
        with urllib.request.urlopen(url, timeout=5) as page:
            assert b"<html" in page.read()
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", closed_port)) != 0
