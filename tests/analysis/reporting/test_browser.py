"""The page in a real browser: nothing missing, every figure drawn, readable on a phone and on a desk."""

import contextlib
import functools
import html
import http.server
import json
import re
import shutil
import subprocess
import threading

import pytest

import analysis

BROWSER = next((found for found in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if found), None)
WIDTHS = {"phone": 390, "desk": 1160}

# Loads the report in frames of both widths and writes down what a reader would see of it.
HARNESS = """<!DOCTYPE html><meta charset="utf-8"><pre id="found"></pre><script>
const widths = WIDTHS, found = {};
const look = (frame, name) => {
  const page = frame.contentDocument, view = frame.contentWindow;
  const box = element => element.getBoundingClientRect();
  const shown = element => box(element).width > 0 && box(element).height > 0;
  const figures = [...page.querySelectorAll("figure svg")];
  const scrolls = element => element.closest(".scroll") !== null;
  const texts = [...page.querySelectorAll("p, li, td, th, dd, dt, h1, h2, h3, figcaption")].filter(shown);
  const proposals = page.querySelector("details table"), value = proposals.tHead.rows[0].cells[2];
  value.firstElementChild.click();
  value.firstElementChild.click();
  found[name] = {
    sorted: [...proposals.tBodies[0].rows].map(row => row.cells[0].textContent.trim()),
    direction: value.getAttribute("aria-sort"),
    dead: [...page.querySelectorAll("nav a")].filter(a => !page.querySelector(a.getAttribute("href"))).length,
    scrollWidth: page.documentElement.scrollWidth,
    figures: figures.length,
    drawn: figures.filter(svg => shown(svg) && svg.querySelectorAll("path, use, text").length > 3).length,
    title: page.title,
    small: texts.filter(e => parseFloat(view.getComputedStyle(e).fontSize) < 11).length,
    outside: texts.filter(e => !scrolls(e) && box(e).right > widths[name] + 1).map(e => e.textContent.trim()),
    words: page.body.innerText.length,
    external: [...page.querySelectorAll("script[src], img, link[rel=stylesheet], iframe")].length,
    errors: frame.errors,
  };
};
const frames = Object.entries(widths).map(([name, width]) => new Promise(done => {
  const frame = document.createElement("iframe");
  frame.errors = [];
  frame.width = width; frame.height = 900;
  frame.onload = () => { look(frame, name); done(); };
  frame.src = "report/index.html";
  document.body.append(frame);
  frame.contentWindow.onerror = message => frame.errors.push(String(message));
}));
Promise.all(frames).then(() => { document.getElementById("found").textContent = JSON.stringify(found); });
</script>"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format, *arguments):  # noqa: A002
        pass


@contextlib.contextmanager
def served(folder):
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def looked_at(folder, profile):
    (folder / "harness.html").write_text(HARNESS.replace("WIDTHS", json.dumps(WIDTHS)))
    with served(folder) as address:
        answer = subprocess.run(
            [
                BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--dump-dom",
                f"--user-data-dir={profile}", "--window-size=1400,1000", "--virtual-time-budget=20000",
                f"{address}/harness.html",
            ],
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
    found = re.search(r'<pre id="found">(.*?)</pre>', answer.stdout, re.DOTALL)
    assert found is not None, answer.stderr
    return json.loads(html.unescape(found[1]))


@pytest.mark.slow  # starts a browser
@pytest.mark.skipif(BROWSER is None, reason="no chromium on the PATH")
def test_the_page_opens_in_a_browser(study, tmp_path):
    page = analysis.write_report(study.path)
    drawings = len(list((page.parent / "figures").glob("*.svg")))
    assert drawings >= 5
    found = looked_at(study.path, tmp_path / "profile")
    assert set(found) == set(WIDTHS)
    for name, width in WIDTHS.items():
        seen = found[name]
        assert seen["title"] == "mgn: report"
        assert (seen["figures"], seen["drawn"]) == (drawings, drawings)
        assert seen["scrollWidth"] <= width, "the page scrolls sideways"
        assert seen["outside"] == []
        assert (seen["errors"], seen["external"], seen["small"]) == ([], 0, 0)
        assert seen["words"] > 2000
        assert (seen["sorted"], seen["direction"]) == (["#3", "#1", "#2", "#0", "#4", "#5"], "descending")
        assert seen["dead"] == 0
