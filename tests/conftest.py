"""What all tests share: a browser, and no quiet skipping."""

from __future__ import annotations

import gc
import importlib.util
import re
import sys
from collections import Counter
from importlib.metadata import entry_points
from pathlib import Path

import catalogue
import pytest
from hypothesis import settings
from playwright.sync_api import expect

HERE = Path(__file__).parent
HAS_NERVALUATE = sys.version_info >= (3, 11)

# How long an example takes depends on the machine, and says nothing of the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# A first answer that a busy kernel has not heard is sent again after 8 seconds
# (`REPLY_TIMEOUT`, js/src/annotator/model/transport.ts); a loaded machine adds its own.
expect.set_options(timeout=30_000)


class EntryPointsByGroup:
    """The entry points of all installed packages; each group is searched for once.

    spaCy asks for a group at every look-up of a function, several hundred times for a
    pipeline, and searches what is installed in full: a fifth of what opening one takes.
    """

    def __init__(self, installed):
        self._installed = installed
        self._groups = {}

    def select(self, *, group):
        if group not in self._groups:
            self._groups[group] = tuple(self._installed.select(group=group))
        return self._groups[group]


catalogue.AVAILABLE_ENTRY_POINTS = EntryPointsByGroup(entry_points())

collect_ignore = [] if HAS_NERVALUATE else ["evaluation/test_nervaluate.py"]


def load(name):
    """Import a helper that lies beside the tests, without putting tests on the path."""
    spec = importlib.util.spec_from_file_location(f"nbner_tests_{name}", HERE / f"{name}.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


chromium = load("chromium")
jupyter = load("lab")
postgres = load("postgres")
faulty = load("faults")


def pytest_configure(config):
    """Register the fixtures that tests of several packages share."""
    for name in ("store_fixtures", "model_fixtures"):
        config.pluginmanager.register(load(name), name)


def pytest_collection_finish():
    """Spare the garbage collector what lasts as long as the tests: 500,000 objects."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def chromium_path():
    return chromium.require()


@pytest.fixture(scope="session")
def browser(chromium_path):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path, args=list(chromium.FLAGS)
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def postgres_server():
    server = postgres.Server()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def new_server(tmp_path_factory):
    """Start servers; all of them end with the tests."""
    servers = []

    def start(**given):
        servers.append(jupyter.Server(tmp_path_factory.mktemp("jupyter"), **given))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def server(new_server):
    return new_server()


@pytest.fixture(scope="session")
def server_without_subshells(new_server):
    return new_server(subshells="disabled")


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.on("dialog", lambda dialog: dialog.accept())
    yield page
    context.close()


@pytest.fixture
def lab(page, server):
    yield jupyter.Lab(page, server)
    server.stop_kernels()


@pytest.fixture
def lab_without_subshells(page, server_without_subshells):
    yield jupyter.Lab(page, server_without_subshells)
    server_without_subshells.stop_kernels()


@pytest.fixture(scope="session")
def jupyter_lab():
    """Give what drives a JupyterLab, for tests that need one of their own."""
    return jupyter


@pytest.fixture
def faulty_run():
    """Give the scripted person whose kernels die."""
    return faulty.Run


@pytest.fixture
def name(request):
    """Name a notebook, or a database, after the test that uses it."""
    return re.sub(r"\W+", "_", request.node.name)


def pytest_sessionfinish(session):
    """Fail where a test was skipped: it is one that did not run."""
    if skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def skipped(config):
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return [] if reporter is None else reporter.stats.get("skipped", [])


def pytest_terminal_summary(terminalreporter):
    """Say what ran, room by room."""
    ran = Counter()
    for report in terminalreporter.stats.get("passed", []):
        if report.when == "call":
            ran[Path(report.nodeid.split("::")[0]).parent.name or "tests"] += 1
    rooms = ", ".join(f"{count} {room}" for room, count in sorted(ran.items()))
    terminalreporter.write_line(f"ran: {rooms or 'nothing'}")
    for report in skipped(terminalreporter.config):
        terminalreporter.write_line(f"FAILED, since skipped: {report.nodeid}")
    if not HAS_NERVALUATE:
        terminalreporter.write_line("not run: the comparison with nervaluate; it needs Python 3.11")
