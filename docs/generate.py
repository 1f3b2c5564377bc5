"""Write the pages of the site that are made from the code: reference, errors, notebooks.

They lie in ``docs/_generated``, which git ignores, and are written anew by every build.
"""

from __future__ import annotations

import ast
import inspect
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbner
from nbner.session.experiments import ExperimentsAccessor
from nbner.session.labels import LabelSet
from nbner.session.model import ModelAccessor
from nbner.session.quality import QualityAccessor
from nbner.session.store import StoreAccessor

PACKAGE = Path(nbner.__file__).parent
#: Notebooks that need more than this machine's Python: shown, not executed.
NEEDS_A_SERVER = ["*team_with_postgresql*"]
ACCESSORS = {
    "session.labels": LabelSet,
    "session.model": ModelAccessor,
    "session.quality": QualityAccessor,
    "session.experiments": ExperimentsAccessor,
    "session.store": StoreAccessor,
}
#: Heading of a page about public names of the package, and what stands above them.
GROUPS = {
    "functions": ("Functions of the package", "Called as `nbner.evaluate(...)`."),
    "values": ("Values", "Frozen records: what goes in, and what methods return pieces of."),
    "errors": ("Errors", "Every error of nbner inherits from `nbner.NbnerError`."),
}
#: Classes of other libraries, whose members are documented there.
OUTSIDE = "Exception, str, int, tuple, DOMWidget, Widget, HasTraits, object"
ERRORS = ("DataError", "ModelError", "StoreError", "TrainingError")
NOTEBOOKS = (
    "quickstart",
    "the_first_hundred_labels",
    "manual_to_make_gold",
    "working_with_pandas",
    "error_analysis",
    "suggestions_and_run_time",
    "determinism_and_seeds",
    "resize_or_retrain",
    "last_layer_and_scikit_learn",
    "beam_and_oracle",
    "state_machine",
    "team_with_postgresql",
)


def write_pages(docs: Path) -> None:
    """Write all made pages below ``docs/_generated``."""
    target = docs / "_generated"
    shutil.rmtree(target, ignore_errors=True)
    (target / "api").mkdir(parents=True)
    for name, text in api_pages().items():
        (target / "api" / f"{name}.md").write_text(text, encoding="utf-8")
    (target / "error_messages.md").write_text(error_page(), encoding="utf-8")
    _copy_notebooks(docs.parent / "notebooks", target / "notebooks")


# The reference.

_REGISTRY = "```{eval-rst}\n.. automodule:: nbner.registry\n   :members:\n```"


def api_pages() -> dict[str, str]:
    """Return the pages of the reference by name, with every public name on one of them."""
    pages = {
        "session": _page("Session", [_class("nbner.Session")]),
        "accessors": _page(
            "What a session holds",
            [f"## {name}\n\n{_class(_path(owner))}" for name, owner in ACCESSORS.items()],
            lead="Methods of a session by subject: `session.model`, `session.quality` and so on.",
        ),
        "results": _page(
            "Results",
            [f"## {name}\n\n{_class(f'nbner.results.{name}')}" for name in result_names()],
            lead=(
                "What analyses return. Every result has `summary` (also `print(result)`), `frame` "
                "(a DataFrame) and `to_html(path)`; one with a picture has `plot(ax=None)`."
            ),
        ),
        "registry": _page("Registry: plug in your own", [_REGISTRY]),
        "widgets": _page("Widgets", [_class("nbner.Annotator")]),
    }
    for name, members in grouped_names().items():
        heading, lead = GROUPS[name]
        pages[name] = _page(heading, [_entry(one) for one in members], lead=lead)
    listed = "\n".join(("session", "accessors", *GROUPS, "results", "widgets", "registry"))
    pages["index"] = _page(
        "Reference", [f"```{{toctree}}\n{listed}\n```"], lead="Every public name, by subject."
    )
    return pages


def result_names() -> list[str]:
    """Return the names of all result types, in alphabetical order."""
    return sorted(nbner.results.__all__)


def grouped_names() -> dict[str, list[str]]:
    """Return the public names of the package that have no page of their own, by group."""
    own_page = {"Session", "Annotator", "registry", "results", "__version__"}
    found: dict[str, list[str]] = {group: [] for group in GROUPS}
    for name in sorted(set(nbner.__all__) - own_page - set(result_names())):
        value = getattr(nbner, name)
        if not inspect.isclass(value):
            found["functions"].append(name)
        elif issubclass(value, Exception):
            found["errors"].append(name)
        else:
            found["values"].append(name)
    return found


def _page(heading: str, parts: list[str], lead: str = "") -> str:
    return "\n\n".join(one for one in (f"# {heading}", lead, *parts) if one) + "\n"


def _entry(name: str) -> str:
    value = getattr(nbner, name)
    if inspect.isclass(value):
        return f"## {name}\n\n{_class(f'nbner.{name}')}"
    return f"```{{eval-rst}}\n.. autofunction:: nbner.{name}\n```"


def _class(path: str) -> str:
    lines = [
        f".. autoclass:: {path}",
        "   :members:",
        f"   :inherited-members: {OUTSIDE}",
        "   :exclude-members: context",
    ]
    return "```{eval-rst}\n" + "\n".join(lines) + "\n```"


def _path(owner: type) -> str:
    return f"{owner.__module__}.{owner.__qualname__}"


# The error messages.


@dataclass(frozen=True, order=True)
class Message:
    """One message of the code: the package that raises it, its error, and its text."""

    package: str
    error: str
    text: str
    remedy: str


def error_page() -> str:
    """Return a page with every message that the package raises, by subject."""
    parts = []
    subject = ""
    for one in sorted(set(messages())):
        if one.package != subject:
            subject = one.package
            parts.append(f"## {_SUBJECTS.get(subject, subject)}")
        # A definition list: the message, then what to do.
        remedy = f". {one.remedy}." if one.remedy.strip(" …") else ""
        parts.append(f"{one.text}\n: `{one.error}`{remedy}")
    lead = (
        "Every message of the package, for the search field of this site: … stands for what the "
        "message fills in. A message says what is wrong, where, and the way out; what some of them "
        "add as a remedy follows."
    )
    return _page("Error messages", parts, lead=lead)


VERBS = ("is ", "takes ", "has ", "are ", "must ", "needs ", "names ", "holds ")
_SUBJECTS = {
    "registry": "Plugged-in functions",
    "corpus": "Labelling a corpus",
    "io": "Files and data",
    "store": "The store",
    "nlp": "Pipelines and models",
    "decoding": "Lists of analyses and probabilities",
    "evaluation": "Evaluation",
    "quality": "Quality of the data",
    "active_learning": "Order of the examples",
    "training": "Training",
    "widgets": "Widgets",
    "reranking": "Oracle and reranker",
    "queues": "Labelling, review and correction",
    "simulation": "Simulation",
    "teaching": "Teaching",
    "session": "The session",
    "_common": "Arguments, colors and pictures",
}


def messages() -> Iterator[Message]:
    """Yield the messages of all errors that are built in the package's source."""
    for file in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        package = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ERRORS and node.args:
                text = _text(node.args[0])
                field = next((k.value for k in node.keywords if k.arg == "field"), None)
                if field is not None and text.startswith(VERBS):  # the field is its subject
                    text = f"{_text(field) or '…'} {text}"
                remedy = next((_text(k.value) for k in node.keywords if k.arg == "remedy"), "")
                if len(text.strip(" …")) > 3:
                    yield Message(package, node.func.id, text, remedy)  # type: ignore[attr-defined]


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return _escaped(str(node.value)) if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        parts = [_text(one) if isinstance(one, ast.Constant) else "…" for one in node.values]
        return "".join(parts)
    return "…"


def _escaped(text: str) -> str:
    kept = " ".join(text.split("\n"))
    return "".join(f"\\{one}" if one in r"\`*_{}[]<>#|$:" else one for one in kept)


# The notebooks.


def _copy_notebooks(source: Path, target: Path) -> None:
    target.mkdir()
    for name in NOTEBOOKS:
        shutil.copy(source / f"{name}.ipynb", target)
    listed = "\n".join(NOTEBOOKS)
    text = _page(
        "Notebooks",
        [f"```{{toctree}}\n{listed}\n```"],
        lead=(
            "Executed while this site is built. The same files are in `notebooks/` of the source; "
            "`make lab` opens JupyterLab on the first."
        ),
    )
    (target / "index.md").write_text(text, encoding="utf-8")
