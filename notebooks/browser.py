"""Opens notebook 02 in JupyterLab in a headless browser, runs it, and checks that the table with images is on the page.
Opens notebook 09 as it is saved: untrusted, it shows still pictures; trusted, and as a page of nbconvert, its map is live.

    python notebooks/browser.py [screenshot.png]

The screenshot goes to target/notebook-02.png unless a path is given. Needs JupyterLab, playwright, Chromium ($CHROMIUM, or
`chromium` on the path) and `topicframe kernel install`.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from playwright.sync_api import Error, sync_playwright

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOTEBOOK = "02_text_and_images.ipynb"
FIGURES = "09_seeing.ipynb"
MAP = "iframe[sandbox*=allow-scripts]"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]


def isolate(work):
    """Keeps Jupyter's signatures of trusted notebooks in the temporary folder: those of an earlier run make notebooks trusted."""
    os.environ["JUPYTER_DATA_DIR"] = str(work / "data")
    os.environ["JUPYTER_CONFIG_DIR"] = str(work / "config")


def server(work):
    """Starts JupyterLab on a copy of the notebooks; returns the process and its address."""
    shutil.copytree(ROOT / "notebooks", work / "notebooks", ignore=shutil.ignore_patterns("*.html", "*.parquet"))
    (work / "examples").symlink_to(ROOT / "examples")
    # Render all cells, not only those in view.
    (work / "settings").mkdir()
    (work / "settings" / "overrides.json").write_text(
        json.dumps({
            "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
            "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
        }), encoding="utf-8")
    log = open(work / "lab.log", "w+", encoding="utf-8")
    lab = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0",
         "--IdentityProvider.token=topicframe", "--LabApp.news_url=", f"--LabApp.app_settings_dir={work / 'settings'}",
         f"--ServerApp.root_dir={work}"],
        stdout=log, stderr=subprocess.STDOUT)
    for _ in range(240):
        log.flush()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/lab", (work / "lab.log").read_text(encoding="utf-8"))
        if found:
            return lab, f"http://127.0.0.1:{found.group(1)}"
        time.sleep(0.25)
    lab.kill()
    sys.exit("JupyterLab did not start:\n" + (work / "lab.log").read_text(encoding="utf-8"))


def open_notebook(page, address, name):
    page.goto(f"{address}/lab/tree/notebooks/{name}?token=topicframe&reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=120_000)


def wait_for_kernel(page, address):
    """Opens the notebook until its kernel is ready: cells that run before are ignored."""
    ready = page.get_by_text(re.compile(r"^Rust \(topicframe\) \| Idle$")).first
    for _ in range(3):
        open_notebook(page, address, NOTEBOOK)
        try:
            return ready.wait_for(timeout=60_000)
        except Error:
            # On a busy machine, JupyterLab may miss that the kernel has started.
            print("the kernel is not idle after 60 s: opening the notebook again", flush=True)
    sys.exit("the kernel did not become idle")


def look(page, address, picture):
    wait_for_kernel(page, address)
    # Clear the saved output, so that any output seen later was produced by this run.
    page.get_by_role("menuitem", name="Edit", exact=True).click()
    page.get_by_text("Clear Outputs of All Cells", exact=True).click()
    page.wait_for_function("() => !document.querySelector('.jp-OutputArea-output table')", timeout=30_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    begun = time.monotonic()
    table = ".jp-OutputArea-output .topicframe table.tf-table"
    page.wait_for_function(
        f"""() => [...document.querySelectorAll('{table}')].some(table =>
            [...table.querySelectorAll('th')].some(cell => cell.textContent.startsWith('Visual_Aspect')) &&
            table.querySelectorAll('img').length >= 5 &&
            [...table.querySelectorAll('img')].every(picture => picture.complete && picture.naturalWidth > 50))""",
        timeout=180_000)
    seconds = time.monotonic() - begun
    errors = page.locator(".jp-OutputArea-output[data-mime-type*='error'], .jp-OutputArea-output[data-mime-type*='stderr']")
    if errors.count():
        sys.exit("cells failed:\n" + "\n".join(errors.all_inner_texts()))
    page.locator(table).filter(has_text="Visual_Aspect").first.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    page.screenshot(path=picture)
    print(f"JupyterLab: the table with images appeared {seconds:.1f} s after Run All Cells; {picture}", flush=True)


def wait_for_map(page, where, seconds=120):
    """Waits for a frame in which a map has been drawn, for which it has to be in view."""
    script = "() => Boolean(window.topicframe && window.topicframe.ready)"
    for _ in range(seconds * 4):
        try:
            page.evaluate(f"() => document.querySelector('{MAP}')?.scrollIntoView()")
            if any(frame.evaluate(script) for frame in page.frames if frame != page.main_frame):
                return
        except Error:
            pass  # A frame was replaced just now.
        time.sleep(0.25)
    sys.exit(f"no live map within {seconds} s: {where}")


def scrolled_to(page, what, selector, seconds=120):
    """Scrolls through the notebook until an element is there: JupyterLab renders what is in view, and replaces cells while it loads."""
    scroll = """(place) => {
        const cells = document.querySelectorAll('.jp-Notebook .jp-Cell');
        cells[place % cells.length]?.scrollIntoView();
    }"""
    for place in range(seconds * 10):
        page.evaluate(scroll, place)
        if page.locator(selector).count():
            return
        page.wait_for_timeout(100)
    sys.exit(f"{what} not found in {FIGURES} within {seconds} s")


def look_at_saved_figures(page, address, work, pictures):
    notebook = work / "notebooks" / FIGURES
    still = ".jp-OutputArea-output img.tf-still"
    open_notebook(page, address, FIGURES)
    scrolled_to(page, "a still picture", still)
    if page.locator(".jp-OutputArea-output iframe").count():
        sys.exit("an untrusted notebook has frames")
    page.locator(still).first.wait_for(timeout=120_000)
    page.screenshot(path=pictures / "notebook-09-untrusted.png")

    subprocess.run([sys.executable, "-m", "jupyter", "trust", str(notebook)], check=True, stdout=subprocess.DEVNULL)
    open_notebook(page, address, FIGURES)
    scrolled_to(page, "the frame of the map", f".jp-OutputArea-output {MAP}")
    wait_for_map(page, "JupyterLab")
    if any(picture.is_visible() for picture in page.locator(still).all()):
        sys.exit("still pictures are shown beside the figures")
    page.wait_for_timeout(500)
    page.screenshot(path=pictures / "notebook-09.png")

    subprocess.run([sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", "--log-level=ERROR", str(notebook)], check=True)
    page.goto(notebook.with_suffix(".html").as_uri())
    wait_for_map(page, "a page of nbconvert")
    print("Notebook 09: untrusted, stills; trusted, and by nbconvert, a live map", flush=True)


def main():
    picture = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "target" / "notebook-02.png")
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        sys.exit("Chromium not found: install it, or set $CHROMIUM to its path")
    with tempfile.TemporaryDirectory() as folder:
        isolate(pathlib.Path(folder))
        lab, address = server(pathlib.Path(folder))
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
                page = browser.new_page(viewport={"width": 1280, "height": 860})
                try:
                    look(page, address, picture)
                    look_at_saved_figures(page, address, pathlib.Path(folder), pathlib.Path(picture).parent)
                except Exception:
                    page.screenshot(path=picture)
                    print(f"screenshot of the page: {picture}", file=sys.stderr)
                    raise
                browser.close()
        finally:
            lab.terminate()
            lab.wait(timeout=30)


if __name__ == "__main__":
    main()
