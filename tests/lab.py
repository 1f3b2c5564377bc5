"""A real JupyterLab in a real browser, without a screen."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

QUIET = {
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "@jupyterlab/docmanager-extension/plugin.jupyterlab-settings": {"autosave": False},
    "@jupyterlab/notebook-extension/tracker.jupyterlab-settings": {"windowingMode": "none"},
}
SUBSHELLS = "@jupyterlab/apputils-extension/kernels-settings.jupyterlab-settings"
#: A server that notices a kernel's death at once, and gives it another however often.
RESTARTS_QUICKLY = (
    "--AsyncIOLoopKernelRestarter.time_to_dead=0.3",
    "--AsyncIOLoopKernelRestarter.restart_limit=100000",
)
START_SECONDS = 90
CELL_SECONDS = 120


class Server:
    """One JupyterLab on a port of its own, with every folder of its own."""

    def __init__(self, home: Path, *, subshells: str = "perCommTarget", options=(), environment=()):
        self.home = home
        self.options = options
        self.environment = dict(environment)
        self.root = home / "work"
        self.token = secrets.token_hex(12)
        self.root.mkdir(parents=True)
        self._settings(subshells)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = (home / "jupyter.log").open("w")
        self.process = subprocess.Popen(
            self._command(),
            env=self._environment(),
            stdout=self.log,
            stderr=self.log,
            cwd=self.root,
        )
        self._wait()

    def _settings(self, subshells):
        for name, values in {**QUIET, SUBSHELLS: {"commsOverSubshells": subshells}}.items():
            file = self.home / "settings" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(values))

    def _command(self):
        return [
            *(sys.executable, "-m", "jupyter", "lab", "--no-browser", "--ip=127.0.0.1"),
            *(f"--port={self.port}", "--ServerApp.port_retries=0"),
            *(f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={self.root}"),
            *("--LabApp.news_url=None", "--LabApp.expose_app_in_browser=True"),
            "--JupyterNotebookApp.expose_app_in_browser=True",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            *self.options,
            *(["--allow-root"] if os.geteuid() == 0 else []),
        ]

    def _environment(self):
        folders = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
        }
        own = {name: str(self.home / folder) for name, folder in folders.items()}
        return {**os.environ, **own, **self.environment}

    def _wait(self):
        deadline = time.monotonic() + START_SECONDS
        address = f"http://127.0.0.1:{self.port}/api/status?token={self.token}"
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                urllib.request.urlopen(address, timeout=2).close()
            except (urllib.error.URLError, OSError):
                # Polling a port that opens when it opens; there is nothing else to wait on.
                time.sleep(0.1)
            else:
                return
        pytest.fail(
            f"JupyterLab did not answer:\n{(self.home / 'jupyter.log').read_text()[-3000:]}"
        )

    def write(self, name, *cells):
        """Put a notebook of code cells into the server's folder."""
        import nbformat  # takes longer than all else here, and most tests need none

        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        notebook.metadata["kernelspec"] = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        nbformat.write(notebook, self.root / name)
        return name

    def stop_kernels(self):
        """End every kernel, so that one test's leftovers do not slow the next."""
        until = time.monotonic() + 30
        while kernels := json.loads(self._ask("kernels")):
            for kernel in kernels:
                try:
                    self._ask(f"kernels/{kernel['id']}", method="DELETE")
                except urllib.error.HTTPError:
                    # One that is being restarted cannot be ended yet.
                    if time.monotonic() > until:
                        raise

    def _ask(self, what, method="GET"):
        address = f"http://127.0.0.1:{self.port}/api/{what}"
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(address, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.read()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()


class Lab:
    """A page with a notebook open in JupyterLab."""

    def __init__(self, page, server):
        self.page = page
        self.server = server

    def open(self, name):
        """Open a notebook in a workspace of its own and wait for its kernel."""
        workspace = f"w{secrets.token_hex(4)}"
        self.page.goto(
            f"http://127.0.0.1:{self.server.port}/lab/workspaces/{workspace}/tree/{name}"
            f"?token={self.server.token}&reset"
        )
        self.wait_for_kernel()
        return self

    def open_in_notebook(self, name):
        """Open a notebook in Notebook 7, which the same server serves."""
        self.page.goto(
            f"http://127.0.0.1:{self.server.port}/notebooks/{name}?token={self.server.token}"
        )
        self.wait_for_kernel()
        return self

    def wait_for_kernel(self):
        self.page.wait_for_function(
            """() => {
              const panel = window.jupyterapp?.shell.currentWidget;
              return panel?.sessionContext?.session?.kernel?.status === "idle"
                && panel.content?.widgets?.length > 0;
            }""",
            timeout=START_SECONDS * 1000,
        )

    def start(self, index=0):
        """Press the keys that run a cell, and return while it runs."""
        cell = self.page.locator(".jp-Notebook .jp-Cell").nth(index)
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")

    def wait_until_busy(self):
        self.page.wait_for_function(
            "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status"
            "=== 'busy'"
        )

    def run(self, index=0):
        """Run a cell and wait until the kernel is idle again."""
        # A new kernel counts from one again: only a cleared count shows that the cell ran.
        self.page.evaluate(
            "i => { window.jupyterapp.shell.currentWidget.content.widgets[i]"
            ".model.executionCount = null; }",
            index,
        )
        self.start(index)
        self.page.wait_for_function(
            """index => {
              const panel = window.jupyterapp.shell.currentWidget;
              return panel.content.widgets[index].model.executionCount !== null
                && panel.sessionContext.session?.kernel?.status === "idle";
            }""",
            arg=index,
            timeout=CELL_SECONDS * 1000,
        )
        return self.outputs(index)

    def run_all(self):
        """Run every cell, as the menu does, and wait for the last."""
        self.command("notebook:run-all-cells")
        self.page.wait_for_function(
            """() => {
              const panel = window.jupyterapp.shell.currentWidget;
              const code = panel.content.widgets.filter(cell => cell.model.type === "code");
              const failed = code.some(cell => cell.model.outputs.toJSON()
                .some(output => output.output_type === "error"));
              return failed || (code.every(cell => cell.model.executionCount !== null)
                && panel.sessionContext.session?.kernel?.status === "idle");
            }""",
            timeout=2 * CELL_SECONDS * 1000,
        )

    def errors(self):
        """Give the errors of all cells, in words."""
        return self.page.evaluate(
            """() => window.jupyterapp.shell.currentWidget.content.widgets
              .filter(cell => cell.model.type === "code")
              .flatMap(cell => cell.model.outputs.toJSON())
              .filter(output => output.output_type === "error")
              .map(output => `${output.ename}: ${output.evalue}`)"""
        )

    def outputs(self, index):
        """Give a cell's outputs as nbformat has them."""
        return self.page.evaluate(
            "i => window.jupyterapp.shell.currentWidget.content.widgets[i].model.outputs.toJSON()",
            index,
        )

    def text(self, index):
        """Give everything a cell printed or returned, as plain text."""
        parts = []
        for output in self.outputs(index):
            parts += [output.get("text", ""), *output.get("traceback", [])]
            parts.append(output.get("data", {}).get("text/plain", ""))
        return "\n".join("".join(part) if isinstance(part, list) else part for part in parts)

    def command(self, name):
        """Execute one of JupyterLab's commands without waiting for what it does."""
        self.page.evaluate("name => void window.jupyterapp.commands.execute(name)", name)

    @property
    def annotator(self):
        return self.page.locator("[data-nbner=annotator]")
