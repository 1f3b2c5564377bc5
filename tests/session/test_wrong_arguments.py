"""Every wrong argument of a public method is an error of nbner's that names the parameter."""

from __future__ import annotations

import inspect
import re

import pytest

import nbner
from nbner.errors import DataError, NbnerError

TEXT = "Mina Kovac flew to Oslo."
NOTHING = object()

#: A wrong value for each kind of annotation, and one out of range for numbers.
WRONG = {
    "int": ["three", 2.5, NOTHING],
    "float": ["half", float("nan"), NOTHING],
    "bool": ["yes", 3, NOTHING],
    "str": [3, NOTHING],
    "Sequence[int]": [("one",), 3, NOTHING],
    "Sequence[float]": [("one",), 3, NOTHING],
    "Sequence[str]": [(3,), 3, "text", NOTHING],
    "Collection[str]": [(3,), 3, "text", NOTHING],
    "Iterable[str]": [3, "text", NOTHING],
}
#: Parameters with a fixed set of values, under names of their own.
CHOICES = (
    *("AnswerKind", "Decoder", "FormatName", "ImportMisaligned", "InitStrategy", "Literal"),
    *("OnError", "Overlap", "Strategy", "TextUnit"),
)
BELOW = {
    **dict.fromkeys(["k", "batch_size", "max_span_length"], 0),
    **dict.fromkeys(["seeds", "more", "n", "width", "rounds", "batch"], 0),
    **dict.fromkeys(
        [
            "folds",
            "patience",
            "samples",
            "max_epochs",
            "max_steps",
            "margin",
            "seed",
            "dropout",
            "l2",
        ],
        -1,
    ),
    **dict.fromkeys(["idle_seconds", "timeout", "withhold", "corrupt", "holdout"], -1),
    "n_process": -7,
    "widths": (0,),
    "batch_sizes": (0,),
    "fractions": (-1.0,),
    "gpu_id": -2,
}
#: What a call needs besides the argument that is wrong.
REQUIRED = {
    "labels": ["PER"],
    "source": [TEXT],
    "text": TEXT,
    "texts": [TEXT],
    "time": 0.0,
    "example": TEXT,
    "models": [],
    "model_a": "blank:en",
    "a": [TEXT],
    "gold": [],
    "predicted": [],
    "examples": [],
    "name": "q",
}


@pytest.fixture(scope="module")
def session():
    with nbner.Session("d", labels=["PER"], store=":memory:", annotator="ann") as made:
        gold = {"text": TEXT, "spans": [{"start": 0, "end": 10, "label": "PER"}]}
        made.add([{**gold, "answer": "accept"}])
        yield made


ACCESSORS = ("model", "quality", "experiments", "store")
FUNCTIONS = ("differences", "evaluate", "quiz", "read", "simulate", "write")


def owners():
    """Yield the classes with public methods, and how a session leads to their objects."""
    yield "", nbner.Session
    with nbner.Session("d", store=":memory:") as made:
        for name in ACCESSORS:
            yield name, type(getattr(made, name))


def parameters():
    """Yield every parameter of every public method."""
    for accessor, cls in owners():
        for name, method in vars(cls).items():
            if name.startswith("_") or not inspect.isfunction(method):
                continue
            for one in inspect.signature(method).parameters.values():
                if one.name != "self":
                    yield f"{accessor}.{name}".lstrip("."), one
    for name in FUNCTIONS:
        for one in inspect.signature(getattr(nbner, name)).parameters.values():
            yield f"nbner.{name}", one


PARAMETERS = list(parameters())


def wrong_calls():
    for path, one in PARAMETERS:
        kinds = [part for part in str(one.annotation).split(" | ") if part != "None"]
        if len(kinds) == 1 and kinds[0] in WRONG:
            for value in WRONG[kinds[0]]:
                yield path, one.name, value
        elif any(kind.startswith(CHOICES) for kind in kinds):
            yield path, one.name, "no such thing"
            yield path, one.name, 3.7
        if one.name in BELOW:
            yield path, one.name, BELOW[one.name]


def call(session, path, arguments, tmp_path):
    owner, _, name = path.rpartition(".")
    if owner == "nbner":
        function = getattr(nbner, name)
    else:
        function = getattr(getattr(session, owner) if owner else session, name)
    known = inspect.signature(function).parameters
    given = {
        key: tmp_path / "out.jsonl" if key == "path" else session if key == "session" else value
        for key, value in {**REQUIRED, "path": None, "session": None}.items()
        if key in known and known[key].default is inspect.Parameter.empty
    }
    if name in {"label_corpus", "corpus_drift"}:
        given["target"] = tmp_path / "target"
    if name in {"add", "read", "label_corpus", "estimate_corpus"}:
        given["source"] = tmp_path / "in.txt"
        given["source"].write_text(TEXT)
    if name == "make_gold":
        given["patterns"] = [{"label": "PER", "pattern": "Mina"}]
    if "progress" in known:
        given["progress"] = False
    found = function(**{**given, **arguments})
    return list(found) if name == "read" else found


CALLS = {}
for _path, _name, _value in wrong_calls():
    CALLS.setdefault((_path, _name), []).append(_value)


@pytest.mark.parametrize(("path", "name"), CALLS)
def test_a_wrong_argument_is_named(session, path, name, tmp_path):
    for value in CALLS[path, name]:
        with pytest.raises(NbnerError) as raised:
            call(session, path, {name: value}, tmp_path)
        said = str(raised.value)
        stem = re.sub(r"(es|s)$", "", name.replace("_", " "))
        assert name in said or stem in said or repr(value) in said, (value, said)


SPLITS = [
    (path, one.name)
    for path, one in PARAMETERS
    # Adding makes a split, and a file that is written has none.
    if one.name in {"split", "dev", "train_split"} and path not in {"add", "nbner.evaluate"}
]


@pytest.mark.parametrize(("path", "name"), SPLITS)
def test_a_split_that_does_not_exist_is_an_error_with_those_there_are(
    session, path, name, tmp_path
):
    good = tmp_path / "out.jsonl"
    good.write_text("kept")
    with pytest.raises(DataError, match=r"no split 'trian'; the splits are: train"):
        call(session, path, {name: "trian"}, tmp_path)
    assert good.read_text() == "kept"


def test_a_number_beyond_every_float_is_out_of_range(session):
    with pytest.raises(DataError, match=r"holdout=1000.* is out of range\. Use 0 to 1"):
        session.make_gold(holdout=10**400)


@pytest.mark.parametrize("bad", ["a\0", "\ud800 b"])
def test_names_that_no_store_can_hold_are_refused(bad):
    with pytest.raises(DataError, match="is not the name of a label"):
        nbner.Session("names", labels=[bad], store=":memory:")
    with pytest.raises(DataError, match="is not the name of an annotator"):
        nbner.Session("names", labels=["A"], store=":memory:", annotator=bad)
    with nbner.Session("names", labels=["A"], store=":memory:") as session:
        with pytest.raises(DataError, match="is not the name of a label"):
            session.add_labels([bad])
        with pytest.raises(DataError, match="is not the name of a label"):
            session.labels.rename("A", bad)
        with pytest.raises(DataError, match="has a character that no database can hold") as caught:
            session.add(["a text"], split=bad)
        assert caught.value.field == "split"
        assert session.labels == ("A",)
        assert session.counts().total == 0
