"""Fixtures of the pages' tests: a branch to look at, and Debian's Chromium to look with."""

import os

import pytest
from playwright.sync_api import expect, sync_playwright

from branch import Branch

CHROMIUM = "/usr/bin/chromium"

# A busy machine may be many times slower; who waits for what comes in the end loses nothing by patience.
expect.set_options(timeout=60_000)


@pytest.fixture(scope="session")
def branch():
    made = Branch()
    yield made
    made.close()


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Chromium with the letters of a phone, so that screenshots look as they do there."""
    assert os.access(CHROMIUM, os.X_OK), f"{CHROMIUM} is not there; `Packaging/deps browser` installs it"
    folder = tmp_path_factory.mktemp("fonts")
    (folder / "fonts.conf").write_text(
        "<?xml version='1.0'?><!DOCTYPE fontconfig SYSTEM 'fonts.dtd'><fontconfig><dir>/usr/share/fonts</dir>"
        f"<cachedir>{folder}/cache</cachedir><match target='pattern'><edit name='family' mode='prepend' binding='strong'>"
        "<string>Roboto</string></edit></match></fontconfig>")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
            env={**os.environ, "FONTCONFIG_FILE": str(folder / "fonts.conf")})
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """Opens pages as a phone does. What the browser complains of, or asks of anybody but the node, fails the test."""
    contexts, complaints = [], []

    def open_page(url, *, width=390, height=844, language="en-GB", script=True, scheme="light", forgives=()):
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale=language, java_script_enabled=script, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        origin = "/".join(url.split("/")[:3]) + "/"

        def complain(kind, text):
            if not any(word in text for word in forgives):
                complaints.append(f"{kind}: {text}")

        page.on("console", lambda message: message.type in ("error", "warning") and complain("console", message.text))
        page.on("pageerror", lambda error: complain("script", str(error)))
        page.on("dialog", lambda dialog: (complain("dialog", dialog.message), dialog.dismiss()))
        page.on("request", lambda request: request.url.startswith(origin) or complain("request", request.url))
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints, "\n".join(complaints)
