"""A trained session, and folders of texts to label."""

from __future__ import annotations

import pandas as pd
import pytest

import nbner

SENTENCES = (
    "Add 5 ml of water carefully .",
    "Heat 3 g of salt and wait .",
    "Nothing happens here .",
)


@pytest.fixture(scope="session")
def session(corpus, trained_path):
    """A session with a model that has learnt the corpus; tests do not train in it."""
    with nbner.Session(
        "lab", labels=["Action", "Amount", "Reagent"], model=trained_path, store=":memory:"
    ) as session:
        session.add(corpus, "train")
        yield session


@pytest.fixture
def texts():
    """Some texts, all of them different."""
    return [f"{SENTENCES[i % 3]} {i % 40}" for i in range(60)]


@pytest.fixture
def parquet_source(tmp_path, texts):
    """Write three Parquet files with an id."""
    folder = tmp_path / "source"
    folder.mkdir()
    for number in range(3):
        mine = texts[number * 20 : number * 20 + 20]
        ids = [f"{number}-{i}" for i in range(len(mine))]
        pd.DataFrame({"id": ids, "text": mine}).to_parquet(folder / f"part-{number}.parquet")
    return folder


@pytest.fixture
def label(session, tmp_path):
    """Label in this process, without a bar."""

    def label(source, target=tmp_path / "target", **options):
        options = {"n_process": 1, "progress": False, **options}
        return session.label_corpus(source, target, **options)

    return label


def content(target):
    """Return the bytes of what was labelled, by its name, without the manifest."""
    files = [one for one in target.rglob("*") if one.is_file()]
    names = {str(one.relative_to(target)): one for one in files}
    return {name: one.read_bytes() for name, one in names.items() if not name.startswith("_nbner")}


@pytest.fixture(name="content")
def content_fixture():
    return content
