"""Opens notebook 02 in JupyterLab in a headless browser, runs it, and checks that the table with images is on the page.

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

from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOTEBOOK = "02_text_and_images.ipynb"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]


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


def look(page, address, picture):
    page.goto(f"{address}/lab/tree/notebooks/{NOTEBOOK}?token=topicframe&reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=120_000)
    # Cells run before the kernel is ready are ignored.
    page.get_by_text(re.compile(r"^Rust \(topicframe\) \| Idle$")).first.wait_for(timeout=120_000)
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


def main():
    picture = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "target" / "notebook-02.png")
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        sys.exit("Chromium not found: install it, or set $CHROMIUM to its path")
    with tempfile.TemporaryDirectory() as folder:
        lab, address = server(pathlib.Path(folder))
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
                page = browser.new_page(viewport={"width": 1280, "height": 860})
                try:
                    look(page, address, picture)
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
