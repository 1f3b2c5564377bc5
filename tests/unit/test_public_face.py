"""The public names, and what importing them costs."""

import subprocess
import sys

import pytest

import nbner

HEAVY = ("spacy", "pandas", "matplotlib", "sqlalchemy", "anywidget", "ipywidgets", "numpy")


def test_every_public_name_is_there():
    for name in nbner.__all__:
        assert getattr(nbner, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Sesion'"):
        _ = nbner.Sesion


def test_importing_loads_no_library():
    code = f"import nbner, sys; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_session_loads_no_widget_before_it_is_shown():
    code = (
        "import nbner, sys; nbner.Session('d', labels=['A'], store=':memory:');"
        "print('anywidget' in sys.modules, 'matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"


def test_errors_have_one_root():
    for name in ("DataError", "ModelError", "StoreError", "TrainingError"):
        assert issubclass(getattr(nbner, name), nbner.NbnerError)
