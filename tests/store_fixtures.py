"""Fixtures for tests of the store and of what reads and writes it."""

import json
import re

import pytest

from nbner.io import formats
from nbner.io.importer import prepare_rows
from nbner.io.row_errors import RowErrors
from nbner.store.store import Store
from nbner.types import Answer, Span, Token


def tokenize(text):
    """Words and single marks, like a tokenizer for English."""
    found = [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]
    return tuple(
        Token(text[start:end], start, end, ws=text[end : end + 1] == " ") for start, end in found
    )


@pytest.fixture(name="tokenize")
def tokenize_fixture():
    return tokenize


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def path(folder):
    return folder / "store.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request):
    """Where a store may be: what holds of one holds of the other."""
    if request.param == "sqlite":
        return request.getfixturevalue("path")
    return request.getfixturevalue("postgres_server").place()


@pytest.fixture
def store(where):
    store = Store(where)
    yield store
    store.close()


@pytest.fixture
def dataset(store):
    return store.dataset("demo")


@pytest.fixture
def add(dataset):
    """Add from any source, as a session would."""

    def add(source, *, split="train", to=dataset, **choices):
        choices = {"tokenize": tokenize, "labels": None, **choices}
        row_errors = RowErrors(choices.pop("on_error", None))
        rows = formats.read(source, row_errors=row_errors)
        return to.add(prepare_rows(rows, split=split, row_errors=row_errors, **choices))

    return add


@pytest.fixture
def give():
    """Answer an example with spans as (start, end, label)."""
    counter = iter(range(10**9))

    def give(dataset, example, kind="accept", spans=(), *, by="ann", **fields):
        answer = Answer(
            id=fields.pop("id", None) or f"{by}-{next(counter)}",
            input_hash=example.input_hash,
            split=example.split,
            annotator=by,
            answer=kind,
            spans=tuple(Span(*span) for span in spans),
            labels=("A", "B"),
            created=fields.pop("created", 1_700_000_000.5),
            **fields,
        )
        return dataset.record(answer)

    return give


@pytest.fixture
def jsonl(tmp_path):
    """Write tasks as a file; strings stand as they are."""

    def jsonl(*tasks, name="tasks.jsonl"):
        lines = [task if isinstance(task, str) else json.dumps(task) for task in tasks]
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return jsonl
