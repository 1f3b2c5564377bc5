"""Servers: databases that sort in the order of a language, and other encodings than UTF-8."""

from contextlib import closing

import pytest

from nbner import Answer, StoreError
from nbner._common.batch_ids import batch_answer_id
from nbner._common.filters import ExampleFilter
from nbner.store.store import Store

ORDERS = ["C", "icu en-US", "icu sv-SE", "icu tr-TR", "libc en_US.UTF-8"]


@pytest.fixture(params=ORDERS)
def store(request, postgres_server):
    with closing(Store(postgres_server.place(request.param))) as store:
        yield store


def test_a_batch_is_undone_in_every_order(store, add):
    add([f"text {n}" for n in range(4)], to=store.dataset("demo"))
    batches = ["batch", "Batch", "batch-1", "batch0", "b_%", "z\u00e4", "0", "bat"]
    dataset = store.dataset("demo")
    examples = list(dataset.examples())
    hashes = sorted(one.input_hash for one in examples)
    for batch in batches:
        answers = [
            Answer(batch_answer_id(batch, key), key, "train", f"of {batch}", "accept")
            for key in hashes
        ]
        assert dataset.record_many(answers) == 4
    for number, batch in enumerate(batches, 1):
        assert sorted(dataset.undo_batch(batch)) == hashes
        left = {f"of {one}" for one in batches[number:]}
        assert {one.annotator for one in dataset.answers()} == left
    assert dataset.counts().open == 4
    assert all(check.ok for check in store.verify())


def test_a_text_is_found_in_every_order(store, add):
    dataset = store.dataset("demo")
    texts = ["Indigo blue", "an \u00c9CLAIR", "an \u00e9clair", "100% salt_1"]
    add(texts, to=dataset)
    for text in ("indigo", "INDIGO", "\u00c9CLAIR", "\u00e9clair", "100%", "_"):
        found = dataset.list_examples("train", ExampleFilter(text=text), 0, 9)
        expected = [one for one in texts if text.casefold() in one.casefold()]
        assert ([row.text for row, _ in found.rows], found.total) == (expected, len(expected))


def test_the_orders_are_those_of_the_databases(postgres_server):
    """Were a locale missing, the tests above would all be of C."""
    differing = []
    for order in ORDERS:
        with (
            closing(Store(postgres_server.place(order))) as store,
            store._database.reading() as connection,
        ):
            differing.append(connection.exec_driver_sql("SELECT 'Z' < 'a'").scalar())
    assert differing == [True, False, False, False, False]


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_text_is_refused(postgres_server, encoding):
    with pytest.raises(StoreError, match=f"has the encoding {encoding}.*ENCODING 'UTF8'"):
        Store(postgres_server.place(encoding=encoding))


def test_a_store_made_in_such_a_database_before_goes_on(postgres_server, add, monkeypatch):
    monkeypatch.setattr("nbner.store.database.Database._require_utf8", lambda *given: None)
    with closing(Store(postgres_server.place(encoding="LATIN1"))) as store:
        dataset = store.dataset("demo")
        add(["caf\u00e9"], to=dataset)
        with pytest.raises(StoreError, match="cannot hold one of these characters"):
            add(["\u65e5\u672c"], to=dataset)
        assert [one.text for one in dataset.examples()] == ["caf\u00e9"]
    with closing(Store(postgres_server.place(encoding="SQL_ASCII"))) as store:
        add(["caf\u00e9", "\u65e5\u672c"], to=store.dataset("demo"))
        found = [one.text for one in store.dataset("demo").examples()]
        assert found == ["caf\u00e9", "\u65e5\u672c"]
        assert all(check.ok for check in store.verify())
