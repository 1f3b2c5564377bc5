"""Find a Chromium for the browser tests, or install one, or say what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SHELLS = ("chromium-headless-shell", "chrome-headless-shell")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
DEBIAN = ("chromium", "fonts-noto-core", "fonts-noto-cjk", "fonts-noto-color-emoji")
ADVICE = (
    "No Chromium was found and none could be installed: install Chromium or Chrome, "
    "or set NBNER_CHROMIUM to the path of one."
)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find() -> str | None:
    """Look where a Chromium may be; an explicit path wins."""
    explicit = os.environ.get("NBNER_CHROMIUM")
    if explicit:
        return explicit if Path(explicit).is_file() else None
    on_path = next(filter(None, map(shutil.which, NAMES)), None)
    return on_path or (str(MAC) if MAC.is_file() else playwrights_own())


def playwrights_own() -> str | None:
    """Look for the browser that Playwright brings."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def find_shell() -> str | None:
    """Look for a Chromium without windows, tabs and toolbars: pages take half of the time in it."""
    if os.environ.get("NBNER_CHROMIUM"):
        return None
    return next(filter(None, map(shutil.which, SHELLS)), None)


def has_apt() -> bool:
    """Return whether packages can be installed: by apt, as root."""
    return bool(shutil.which("apt-get")) and os.geteuid() == 0


def install_by_apt(*packages: str, errors: int | None = None) -> bool:
    """Return whether apt has installed packages; none is removed for them.

    Parameters
    ----------
    *packages : str
        Their names.
    errors : int, optional
        Where apt's errors go, as ``stderr`` of `subprocess.run`; by default they are shown.
    """
    command = ["apt-get", "install", "-y", "-qq", "--no-remove", "--no-install-recommends"]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run([*command, *packages], check=False, env=quiet, stderr=errors)
    return done.returncode == 0


def install() -> None:
    """Install through apt as root, else through Playwright."""
    if has_apt():
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        if install_by_apt(*DEBIAN):
            return
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def require() -> str:
    """Give the path of a Chromium.

    Raises
    ------
    RuntimeError
        With one sentence that says what to do.
    """
    path = find()
    if path is None:
        raise RuntimeError(ADVICE)
    return path


if __name__ == "__main__":
    if find() is None and not os.environ.get("NBNER_CHROMIUM"):
        install()
    found = find()
    # Debian's has a shell of the same version; without one the tests take longer, and that is all.
    is_debians = found == "/usr/bin/chromium" and not os.environ.get("NBNER_CHROMIUM")
    if is_debians and not find_shell() and has_apt():
        install_by_apt(SHELLS[0], errors=subprocess.DEVNULL)
    both = " and ".join(filter(None, (found, find_shell())))
    sys.stdout.write(f"Chromium for the browser tests: {both}\n" if found else f"{ADVICE}\n")
    sys.exit(found is None)
