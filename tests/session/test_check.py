"""The self-test, ``python -m nbner.check``: what works, what does not, and versions."""

import io

from nbner import Session, check
from nbner._version import __version__


def test_a_whole_installation_works_and_says_its_versions():
    out = io.StringIO()
    assert check.main(out) == 0
    lines = out.getvalue().splitlines()
    assert lines[0].split() == ["nbner", __version__]
    assert {"Python", "spacy", "anywidget"} <= {line.split(" ")[0] for line in lines}
    assert "failed" not in out.getvalue()
    assert lines[-1] == "All of it works."


def test_the_step_that_fails_is_named_and_the_next_is_not_tried(monkeypatch):
    def broken(*args, **kwargs):
        raise OSError("no such library")

    monkeypatch.setattr(Session, "train", broken)
    out = io.StringIO()
    assert check.main(out) == 1
    assert "failed: OSError: no such library" in out.getvalue()
    assert "the widget" not in out.getvalue()


def test_a_package_that_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setattr(check, "PACKAGES", ("spacy", "no-such-package"))
    assert "spacy" in check.versions()
    assert "no-such-package" not in check.versions()
