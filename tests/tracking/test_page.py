"""The page that `ui` prints, in a real browser: the arms, their numbers and axes, without a click."""

import asyncio
import json
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

from reid_search.records.files import write_atomically
from reid_search.tracking import page_addresses, sync_study

aiohttp = pytest.importorskip("aiohttp", reason="what talks to the browser comes with ray and mlflow")

BROWSER = next((found for found in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if found), None)
SERVE = "import sys; from pathlib import Path; from reid_search.tracking import serve_ui;"
SERVE += "serve_ui(Path(sys.argv[1]), port=int(sys.argv[2]))"

READ = """JSON.stringify(["columnheader", "gridcell"].map(
    role => [...document.querySelectorAll(`[role=${role}]`)].map(element => element.innerText)))"""


@pytest.fixture
def served(study, closed_port):
    """Serve a study of 3 arms and 60 proposals, which are more runs than the page's first rows."""
    for number in range(60):
        study.ask(number, f"{number:x}", 10_000)
        study.begin(f"{number:x}", 10_000)
    for arm, (key, values) in {
        "baseline": ("aa", (0.50, 0.52, 0.57)), "margin=0.3": ("bb", (0.61, 0.62, 0.66)), "none": ("cc", (0.2,)),
    }.items():  # fmt: skip
        for seed, value in enumerate(values, start=1):
            study.ask(arm, key, seed, settings={"losses.triplet.on": arm, "losses.triplet.margin": "1.2"})
            study.whole(key, seed, readouts={"default": {"test/mAP": value}})
    report = "arm,verdict,delta,low,high\nmargin=0.3,better,0.1,0.05,0.15\n"
    write_atomically(study.store.report / "tables" / "contrasts-ablate.csv", report)
    assert sync_study(study.store).warnings == []
    storage = study.store.storage
    server = subprocess.Popen([sys.executable, "-c", SERVE, str(storage), str(closed_port)])
    address = page_addresses(storage, closed_port)["mgn"]
    try:
        deadline = time.monotonic() + 300
        while not _answers(f"http://127.0.0.1:{closed_port}/health"):
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.5)
        yield address
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def _answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def _seen(address, profile):
    """Return the headings of the table of runs and the text of its cells, as a page shows them that nobody touched.

    The page never comes to rest, so the browser is asked by its debugging port until the rows are there.
    """
    browser = subprocess.Popen(
        [
            BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--window-size=1800,1000", f"--user-data-dir={profile}", "--remote-debugging-port=0",
            "--remote-allow-origins=*", address,
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        return asyncio.run(asyncio.wait_for(_asked(profile / "DevToolsActivePort"), 300))
    finally:
        browser.terminate()
        browser.wait(60)


async def _asked(port_file):
    while not port_file.exists():
        await asyncio.sleep(0.2)
    server = f"http://127.0.0.1:{port_file.read_text().splitlines()[0]}"
    async with aiohttp.ClientSession() as session:
        while not (pages := [tab for tab in await _tabs(session, server) if tab["type"] == "page"]):
            await asyncio.sleep(0.2)
        async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            while True:
                await socket.send_json({"id": 1, "method": "Runtime.evaluate", "params": {"expression": READ}})
                answer = await socket.receive_json()
                found = json.loads(answer["result"]["result"]["value"])
                if any("baseline" in text for text in found[1]) and any("seeds" in text for text in found[1]):
                    return found
                await asyncio.sleep(0.5)


async def _tabs(session, server):
    async with session.get(f"{server}/json") as answer:
        return await answer.json()


@pytest.mark.slow  # starts a server and a browser
@pytest.mark.skipif(BROWSER is None, reason="no chromium on the PATH")
def test_the_arms_are_seen_without_a_click(served, tmp_path):
    headings, cells = _seen(served, tmp_path / "profile")
    shown = " | ".join(headings)
    for heading in ("Run Name", "result", "verdict", "losses.triplet.on", "test/mAP"):
        assert heading in shown, shown
    assert "losses.triplet.margin" not in shown  # one value in all arms
    said = " | ".join(cells)
    for text in (
        "baseline",
        "margin=0.3",
        "none",
        "53.0 [44.0 to 62.0] %, 3 of 3 seeds",
        "20.0 %, 1 of 1 seeds",
        "better: +10.00 [+5.00 to +15.00] points",
    ):
        assert text in said, said
    assert "#0" not in said  # no proposal stands in the way of arms
