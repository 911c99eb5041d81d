"""Addresses of databases and artifacts, and what importing the room costs."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from reid_search.records import StudyStore
from reid_search.tracking import tracking_uri
from reid_search.tracking.place import artifact_location, is_own_database, shown


def test_the_environment_goes_first(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking:5000")
    assert tracking_uri(tmp_path) == "http://tracking:5000"
    assert not is_own_database(tmp_path, tracking_uri(tmp_path))
    assert artifact_location(tmp_path, tracking_uri(tmp_path), "mgn") is None


@pytest.mark.parametrize("name", ["runs", "my #1 ü", "50% sure?"])
def test_a_database_beside_the_study(tmp_path, monkeypatch, name):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    uri = tracking_uri(Path(name))
    assert uri.startswith("sqlite:////")
    assert make_url(uri).database == str(tmp_path / name / "mlflow.db")
    assert is_own_database(Path(name), uri)
    assert shown(uri) == str(tmp_path / name / "mlflow.db")
    location = artifact_location(Path(name), uri, "mgn")
    assert location == (tmp_path / name / "mlartifacts" / "mgn").as_uri()


def test_a_password_is_not_shown():
    assert shown("https://me:secret@host:5000/mlflow") == "https://host:5000/mlflow"


def test_importing_the_room_imports_no_mlflow():
    code = (
        "import sys; from reid_search.records import StudyStore; from pathlib import Path;"
        "from reid_search.tracking import BackgroundSink, Projection, serve_ui, sync_study, ui_command;"
        "BackgroundSink(StudyStore(Path('x'), 'y')).close();"
        "assert not {'mlflow', 'torch', 'ray', 'optuna'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


_NEW = """
import sys
from pathlib import Path
from reid_search.records import StudyStore
from reid_search.tracking import sync_study
result = sync_study(StudyStore(Path(sys.argv[1]), "mgn"))
assert (result.written, result.warnings) == (2, []), result
"""


@pytest.mark.slow  # MLflow makes its tables, which is a long series of migrations
def test_a_new_database_in_a_folder_with_an_odd_name(tmp_path, monkeypatch, make_study, track):
    """It is made without a word, also where an earlier process was killed while it made the tables."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    storage = tmp_path / "my #1 ü"
    make_study(StudyStore(storage, "mgn")).whole("a", 1)
    (storage / ".mlflow.db.new").write_bytes(b"SQLite format 3\x00 and then the power went")
    command = [sys.executable, "-c", _NEW, str(storage)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == [storage.name]
    assert sorted(path.name for path in storage.iterdir()) == [".mlflow.lock", "mgn", "mlartifacts", "mlflow.db"]
    tracked = track(storage)
    assert tracked.text(tracked.trial("a", 1), "cmc.csv").startswith("readout,split,rank")
