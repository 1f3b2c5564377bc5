"""Kill a forked process at every file operation of an action, one after the other."""

from __future__ import annotations

import os
import shutil
import sys

#: Audit events that change files, or come just before such a change.
_CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree", "os.truncate")
_state = {"on": False, "left": -1}


def _hook(event, arguments):
    if not _state["on"]:
        return
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wxa+")
    if writes or event in _CHANGES:
        if _state["left"] == 0:
            os._exit(9)
        _state["left"] -= 1


sys.addaudithook(_hook)


def killed_at_every_step(action, root, prepare=lambda folder: None, *, at_most=200):
    """Yield a folder for each file operation of an action before which its process has died.

    Parameters
    ----------
    action : callable
        Takes the folder to work in.
    root : Path
        Folder for the folders.
    prepare : callable
        Fills a folder before the action.
    at_most : int
        Raise where the action has more operations.

    Yields
    ------
    Path
        The last folder is of an action that was not killed.
    """
    for step in range(at_most):
        folder = root / f"killed-{step}"
        folder.mkdir()
        prepare(folder)
        killed = _run_killed(lambda folder=folder: action(folder), step)
        yield folder
        shutil.rmtree(folder, ignore_errors=True)
        if not killed:
            return
    raise AssertionError(f"more than {at_most} file operations")


def _run_killed(action, step):
    """Run an action in a forked process; return whether it was killed before its end."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            _state.update(on=True, left=step)
            action()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(process, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, 9), f"the action itself failed with {code}"
    return code == 9
