"""What all tests share: a browser, and no quiet skipping."""

from __future__ import annotations

import gc
import importlib.util
import os
import re
import sys
from collections import Counter
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import urlsplit

import catalogue
import pytest
import spacy.tokenizer
import spacy.vocab
from hypothesis import settings
from playwright.sync_api import expect
from spacy.attrs import NORM, ORTH, intify_attrs

HERE = Path(__file__).parent
HAS_NERVALUATE = sys.version_info >= (3, 11)

#: Drawn examples of a property that does not say how many: more of them find rarer cases,
#: and take as long as they are many. The weekly workflow takes 300.
EXAMPLES = int(os.environ.get("NBNER_EXAMPLES", "40"))

# How long an example takes depends on the machine, and says nothing of the code.
settings.register_profile("unhurried", deadline=None, max_examples=EXAMPLES)
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

_WITHOUT_NAMES = frozenset((ORTH, NORM))


def attributes_by_number(attributes, strings_map=None, _do_deprecated=False):
    """Do as spaCy's ``intify_attrs``, without its look for 43 old names where there is no name.

    It is called twice for each of a tokenizer's 1,347 English exceptions, whose keys are
    numbers: half of what making or opening any pipeline takes.
    """
    if not attributes.keys() <= _WITHOUT_NAMES:
        return intify_attrs(attributes, strings_map, _do_deprecated)
    if strings_map is None:
        return dict(attributes)
    return {
        key: strings_map.add(value) if isinstance(value, str) else value
        for key, value in attributes.items()
    }


spacy.tokenizer.intify_attrs = spacy.vocab.intify_attrs = attributes_by_number

collect_ignore = [] if HAS_NERVALUATE else ["evaluation/test_nervaluate.py"]


def load(name):
    """Import a helper that lies beside the tests, without putting tests on the path."""
    spec = importlib.util.spec_from_file_location(f"nbner_tests_{name}", HERE / f"{name}.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Before anything imports nbner.
line_coverage = load("line_coverage")
coverage = line_coverage.Coverage(
    os.environ.get(line_coverage.SETTING), os.environ.get("PYTEST_XDIST_WORKER")
)

chromium = load("chromium")
jupyter = load("lab")
postgres = load("postgres")
faulty = load("faults")


def pytest_addoption(parser):
    parser.addoption(
        "--fast",
        action="store_true",
        help="leave out what is marked as slow or needs a server, and fail what trains after all",
    )


def pytest_collection_modifyitems(config, items):
    """With ``--fast``, leave out what is marked as slow, and what needs a PostgreSQL server."""
    if config.getoption("fast"):
        left_out = [item for item in items if is_slow(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not is_slow(item)]


def is_slow(item):
    params = item.callspec.params.values() if hasattr(item, "callspec") else ()
    on_server = any(isinstance(one, str) and one == "postgresql" for one in params)
    return on_server or item.get_closest_marker("slow") or "postgres_server" in item.fixturenames


@pytest.fixture(autouse=True, scope="session")
def nothing_slow(request):
    """With ``--fast``, fail where a test trains a model, or starts a browser or a server."""
    if not request.config.getoption("fast"):
        yield
        return

    def refuse(*_args, **_options):
        pytest.fail("`make test-fast` holds no test that trains, or opens a browser or a server")

    slow = {
        "spacy.language.Language.update": refuse,
        "pycrfsuite.Trainer.train": refuse,
        "playwright.sync_api.BrowserType.launch": refuse,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, instead in slow.items():
            patch.setattr(name, instead)
        patch.setattr(jupyter, "Server", refuse)
        patch.setattr(postgres, "Server", refuse)
        yield


def pytest_configure(config):
    """Register the fixtures that tests of several packages share."""
    for name in ("store_fixtures", "model_fixtures"):
        config.pluginmanager.register(load(name), name)


def pytest_collection_finish():
    """Spare the garbage collector what lasts as long as the tests: 500,000 objects.

    What the tests make is looked through less often: by 2 % less time in all.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


#: Folders whose tests wait for a server, a kernel or a page, and leave a core idle
#: meanwhile; those with the longest files come first.
WAITING = ("notebooks", "docs", "jupyter", "hosts", "browser")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Let one worker of ``--dist loadfile`` wait while the others compute.

    The first takes the files of `WAITING`, so that their browser and their server start
    once. Of the others every second takes the files from the last one on: then the files
    of a folder, which share trained models, are seldom divided among two. Whoever has
    none of its own left helps the others, with the files that they would take last.
    """
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _assign_work_unit(self, node):
            number = self.nodes.index(node)
            waiting, computing = [], []
            for scope in self.workqueue:
                (waiting if Path(scope).parent.name in WAITING else computing).append(scope)
            waiting.sort(key=lambda scope: WAITING.index(Path(scope).parent.name))
            if number == 0:
                scope = waiting[0] if waiting else computing[0]
            elif computing:
                scope = computing[0 if number % 2 else -1]
            else:
                scope = waiting[-1]
            self.workqueue.move_to_end(scope, last=False)
            super()._assign_work_unit(node)

    return Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def chromium_path():
    return chromium.require()


@pytest.fixture(scope="session")
def new_browser():
    """Start browsers by their path; all of them end with the tests."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = []

        def start(path):
            started.append(
                playwright.chromium.launch(executable_path=path, args=list(chromium.FLAGS))
            )
            return started[-1]

        yield start
        for browser in started:
            browser.close()


@pytest.fixture(scope="session")
def browser(new_browser, chromium_path):
    """A browser for single pages, which has no window where such a Chromium is installed.

    Windows, tabs and toolbars take Chromium as long as the page in them: 20 small pages
    with five keys each took 8.8 s of CPU in all with them, and 4.1 s without.
    """
    return new_browser(chromium.find_shell() or chromium_path)


@pytest.fixture(scope="session")
def whole_browser(new_browser, chromium_path):
    """A browser as people have it, for JupyterLab and its like."""
    return new_browser(chromium_path)


class Pages:
    """A browser's window that tests use one after the other, each with new pages.

    A window of its own starts processes that take longer than most of the tests. After
    a test its pages are closed, and all that they kept is removed, except for the cache
    of what was downloaded. Only pages can be changed, as by ``page.add_init_script``:
    what is done to a window would last.

    Parameters
    ----------
    browser : Browser
        Playwright's.
    **options
        Of ``browser.new_context``.
    """

    def __init__(self, browser, **options):
        self._context = browser.new_context(**options)
        self._context.set_default_timeout(30_000)
        self._origins = set()
        # It stays, to remove what the others keep.
        self._blank = self._context.new_page()
        self._protocol = self._context.new_cdp_session(self._blank)

    def new_page(self):
        page = self._context.new_page()
        page.on("framenavigated", self._note_origin)
        return page

    def _note_origin(self, frame):
        address = urlsplit(frame.url)
        if address.netloc:
            self._origins.add(f"{address.scheme}://{address.netloc}")

    def clear(self):
        """Close the pages, and remove what they kept in the browser."""
        for page in self._context.pages:
            if page is not self._blank:
                page.close()
        self._context.set_offline(False)
        self._context.clear_cookies()
        self._context.clear_permissions()
        for origin in self._origins:
            whole = {"origin": origin, "storageTypes": "all"}
            self._protocol.send("Storage.clearDataForOrigin", whole)
        self._origins.clear()


@pytest.fixture(scope="session")
def new_pages(browser):
    """Open windows, each for the pages of several tests."""
    return partial(Pages, browser)


@pytest.fixture(scope="session")
def pages(whole_browser):
    return Pages(whole_browser, viewport={"width": 1200, "height": 900})


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
def page(pages):
    page = pages.new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    yield page
    pages.clear()


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
    """Fail where a test was skipped: it is one that did not run. Judge the coverage."""
    coverage.finish()
    verdict = coverage.verdict()
    if skipped(session.config) or (verdict and not verdict[0]):
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
    verdict = coverage.verdict()
    if verdict:
        terminalreporter.write_line(f"{'' if verdict[0] else 'FAILED, '}{verdict[1]}")
    if not HAS_NERVALUATE:
        terminalreporter.write_line("not run: the comparison with nervaluate; it needs Python 3.11")
