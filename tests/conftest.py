"""The browser that pages are tested in, and Ctrl-C as a terminal leaves it."""

import shutil
import signal
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

# What a shell starts in the background ignores Ctrl-C, and so would the programs that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")  # not longer: its event loop would be in the way of other tests
def browser():
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        if not found and not Path(playwright.chromium.executable_path).exists():
            pytest.fail(
                "The pages are tested in Chromium, which is missing. Install it: "
                "`apt-get install chromium`, or `.venv/bin/playwright install --with-deps chromium`."
            )
        chromium = playwright.chromium.launch(executable_path=found, args=flags)
        yield chromium
        chromium.close()
