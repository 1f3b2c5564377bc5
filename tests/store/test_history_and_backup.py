"""Looking back, going back, copies, checks, and stores of an older version."""

import sqlite3
import time
from contextlib import closing

import pytest
from sqlalchemy import text

from nbner import Answer, Counts, DataError, Span, StoreError
from nbner.store import schema
from nbner.store.store import Store

# The tables of version 1, as the nbner of that time made them.
VERSION_1 = """
CREATE TABLE nbner_store ( "key" TEXT NOT NULL, schema_version INTEGER NOT NULL,
  created FLOAT NOT NULL, PRIMARY KEY ("key") );
CREATE TABLE nbner_datasets ( id INTEGER NOT NULL, name TEXT NOT NULL, labels TEXT NOT NULL,
  PRIMARY KEY (id), UNIQUE (name) );
CREATE TABLE nbner_label_sets ( id INTEGER NOT NULL, labels TEXT NOT NULL,
  PRIMARY KEY (id), UNIQUE (labels) );
CREATE TABLE nbner_splits ( id INTEGER NOT NULL, dataset_id INTEGER NOT NULL, name TEXT NOT NULL,
  total INTEGER NOT NULL, accept INTEGER NOT NULL, reject INTEGER NOT NULL,
  "ignore" INTEGER NOT NULL, PRIMARY KEY (id), UNIQUE (dataset_id, name),
  FOREIGN KEY(dataset_id) REFERENCES nbner_datasets (id) );
CREATE TABLE nbner_runs ( seq INTEGER NOT NULL, id TEXT NOT NULL, dataset_id INTEGER NOT NULL,
  created FLOAT NOT NULL, path TEXT NOT NULL, fingerprint TEXT NOT NULL, record TEXT NOT NULL,
  PRIMARY KEY (seq), UNIQUE (id), FOREIGN KEY(dataset_id) REFERENCES nbner_datasets (id) );
CREATE INDEX nbner_runs_in_order ON nbner_runs (dataset_id, seq);
CREATE TABLE nbner_examples ( id INTEGER NOT NULL, split_id INTEGER NOT NULL,
  input_hash INTEGER NOT NULL, digest BLOB NOT NULL, task_hash INTEGER NOT NULL,
  text TEXT NOT NULL, tokens TEXT, spans TEXT NOT NULL, flagged BOOLEAN NOT NULL,
  note TEXT NOT NULL, meta TEXT NOT NULL, extra TEXT NOT NULL, PRIMARY KEY (id),
  UNIQUE (split_id, input_hash), UNIQUE (split_id, digest),
  FOREIGN KEY(split_id) REFERENCES nbner_splits (id) );
CREATE INDEX nbner_examples_in_order ON nbner_examples (split_id, id);
CREATE TABLE nbner_answers ( id INTEGER NOT NULL, uid TEXT NOT NULL, example_id INTEGER NOT NULL,
  split_id INTEGER NOT NULL, annotator TEXT NOT NULL, answer TEXT, spans TEXT NOT NULL,
  flagged BOOLEAN NOT NULL, note TEXT NOT NULL, label_set_id INTEGER NOT NULL,
  created FLOAT NOT NULL, extra TEXT NOT NULL, PRIMARY KEY (id), UNIQUE (uid),
  FOREIGN KEY(example_id) REFERENCES nbner_examples (id),
  FOREIGN KEY(split_id) REFERENCES nbner_splits (id),
  FOREIGN KEY(label_set_id) REFERENCES nbner_label_sets (id) );
CREATE INDEX nbner_answers_in_order ON nbner_answers (split_id, id);
CREATE INDEX nbner_answers_of_example ON nbner_answers (example_id);
CREATE TABLE nbner_current ( example_id INTEGER NOT NULL, annotator TEXT NOT NULL,
  split_id INTEGER NOT NULL, answer_id INTEGER NOT NULL, answer TEXT,
  PRIMARY KEY (example_id, annotator), FOREIGN KEY(example_id) REFERENCES nbner_examples (id),
  FOREIGN KEY(split_id) REFERENCES nbner_splits (id),
  FOREIGN KEY(answer_id) REFERENCES nbner_answers (id) );
CREATE INDEX nbner_current_by_answer ON nbner_current (split_id, answer_id);
CREATE INDEX nbner_current_in_order ON nbner_current (split_id, annotator, answer_id);
CREATE TABLE nbner_standing ( example_id INTEGER NOT NULL, split_id INTEGER NOT NULL,
  answer_id INTEGER, answer TEXT, PRIMARY KEY (example_id),
  FOREIGN KEY(example_id) REFERENCES nbner_examples (id),
  FOREIGN KEY(split_id) REFERENCES nbner_splits (id),
  FOREIGN KEY(answer_id) REFERENCES nbner_answers (id) );
CREATE INDEX nbner_standing_in_order ON nbner_standing (split_id, answer, example_id);
"""
# Two texts, of which one was accepted and then rejected.
CONTENT = """
INSERT INTO nbner_store VALUES ('the-key', 1, 1700000000.0);
INSERT INTO nbner_datasets VALUES (1, 'demo', '["A"]');
INSERT INTO nbner_label_sets VALUES (1, '["A"]');
INSERT INTO nbner_splits VALUES (1, 1, 'train', 2, 0, 1, 0);
INSERT INTO nbner_examples VALUES
  (1, 1, 11, X'{first}', 1, 'Add', NULL, '[]', 0, '', '{{}}', '{{}}'),
  (2, 1, 12, X'{second}', 1, 'Stir', NULL, '[]', 0, '', '{{}}', '{{}}');
INSERT INTO nbner_answers VALUES
  (1, 'a', 1, 1, 'ann', 'accept', '[[0,3,"A"]]', 0, '', 1, 100.0, '{{}}'),
  (2, 'b', 1, 1, 'ann', 'reject', '[]', 0, '', 1, 200.0, '{{}}');
INSERT INTO nbner_current VALUES (1, 'ann', 1, 2, 'reject');
INSERT INTO nbner_standing VALUES (1, 1, 2, 'reject'), (2, 1, NULL, NULL);
"""


@pytest.fixture
def version_1(path):
    from nbner._common.hashing import text_digest

    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1)
        content = CONTENT.format(first=text_digest("Add").hex(), second=text_digest("Stir").hex())
        connection.executescript(content)
    return path


def test_an_older_store_is_brought_up_to_date_and_keeps_all_it_held(version_1, give):
    before = version_1.read_bytes()
    with closing(Store(version_1)) as store:
        assert store.key == "the-key"
        dataset = store.dataset("demo")
        first, second = dataset.examples()
        assert (first.answer, second.answer) == ("reject", None)
        assert [one.id for one in dataset.answers(current=False)] == ["a", "b"]
        assert dataset.at(150.0).examples()[0].answer == "accept"
        give(dataset, second)
        assert all(check.ok for check in store.verify())
    (backup,) = version_1.parent.glob("store-*-version-1.db")
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("SELECT schema_version FROM nbner_store").fetchall() == [(1,)]
        assert connection.execute("SELECT count(*) FROM nbner_answers").fetchall() == [(2,)]
    assert len(backup.read_bytes()) == len(before)
    # Once is enough.
    Store(version_1).close()
    assert len(list(version_1.parent.glob("store-*"))) == 1


def test_an_older_store_on_a_server_is_brought_up_to_date(postgres_server, add, monkeypatch, path):
    monkeypatch.chdir(path.parent)
    place = postgres_server.place()
    store = Store(place)
    add(["Add"], to=store.dataset("demo"))
    with store._database.writing() as connection:
        for statement in (
            "ALTER TABLE nbner_examples DROP COLUMN created",
            "ALTER TABLE nbner_answers DROP COLUMN stored",
            "DROP TABLE nbner_claims",
            "DROP TABLE nbner_settings",
            "UPDATE nbner_store SET schema_version = 1",
        ):
            connection.execute(text(statement))
    store.close()
    with closing(Store(place)) as again:
        add(["Stir"], to=again.dataset("demo"))
        assert [one.text for one in again.dataset("demo").examples()] == ["Add", "Stir"]
    (backup,) = path.parent.glob("nbner-*-version-1.db")
    with closing(Store(backup)) as copy:
        assert [one.text for one in copy.dataset("demo").examples()] == ["Add"]


def test_a_migration_that_fails_leaves_the_store_as_it_was(version_1, monkeypatch):
    from nbner.store import migrations

    def broken(connection):
        migrations._to_version_2(connection)
        raise KeyboardInterrupt

    monkeypatch.setitem(migrations._STEPS, 1, broken)
    with pytest.raises(KeyboardInterrupt):
        Store(version_1)
    with closing(sqlite3.connect(version_1)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
        assert ("nbner_claims",) not in tables
        assert connection.execute("SELECT schema_version FROM nbner_store").fetchall() == [(1,)]
    monkeypatch.undo()
    with closing(Store(version_1)) as store:
        assert store.dataset("demo").counts().reject == 1


def test_version_and_tables_go_together():
    """Whoever changes the tables counts the version up and writes a migration."""
    assert schema.SCHEMA_VERSION == 2
    assert sorted(table.name for table in schema.metadata.tables.values()) == sorted(
        f"nbner_{name}"
        for name in (
            *("answers", "claims", "current", "datasets", "examples", "label_sets", "runs"),
            *("settings", "splits", "standing", "store"),
        )
    )


@pytest.fixture
def lived(add, dataset, give):
    """A dataset with a past: the moments between its events."""
    moments = []

    def pause():
        time.sleep(0.002)
        moments.append(time.time())
        time.sleep(0.002)

    add(["Add 5", "Stir"])
    first, second = dataset.examples()
    pause()
    give(dataset, first, "accept", [(0, 3, "A")], by="ann")
    pause()
    give(dataset, first, "reject", by="bob")
    give(dataset, second, "ignore", by="ann")
    pause()
    give(dataset, first, None, [(0, 3, "B")], by="bob")
    add(["Wait"])
    pause()
    return dataset, moments


def stood(past):
    return [(one.text, one.answer, one.annotator) for one in past.examples()]


def test_the_dataset_as_it_was(lived):
    dataset, (start, first, second, last) = lived
    assert stood(dataset.at(0.0)) == []
    assert stood(dataset.at(start)) == [("Add 5", None, None), ("Stir", None, None)]
    assert stood(dataset.at(first)) == [("Add 5", "accept", "ann"), ("Stir", None, None)]
    assert stood(dataset.at(second)) == [("Add 5", "reject", "bob"), ("Stir", "ignore", "ann")]
    assert stood(dataset.at(last)) == [
        ("Add 5", "accept", "ann"),
        ("Stir", "ignore", "ann"),
        ("Wait", None, None),
    ]
    assert stood(dataset.at(last)) == [
        (one.text, one.answer, one.annotator) for one in dataset.examples()
    ]
    assert dataset.at(second).counts().reject == 1
    assert dataset.at(second).counts().total == 2
    assert [one.answer for one in dataset.at(second).answers()] == ["accept", "reject", "ignore"]
    assert [one.text for one in dataset.at(last).examples(answer="ignore")] == ["Stir"]


def test_every_answer_that_an_example_was_given(lived):
    dataset, _ = lived
    events = dataset.history("Add 5")
    assert [(one.annotator, one.answer) for _, one in events] == [
        ("ann", "accept"),
        ("bob", "reject"),
        ("bob", None),
    ]
    assert [stored for stored, _ in events] == sorted(stored for stored, _ in events)
    assert dataset.history(events[0][1].input_hash, "train") == events
    assert dataset.history("Wait") == []
    assert dataset.history("Add") is None
    assert dataset.history("Add 5", "dev") is None


def test_going_back_and_forth_again(lived):
    dataset, (_, first, second, last) = lived
    assert dataset.at(second).restore() == 1
    assert (
        stood(dataset.at(second))
        == [(one.text, one.answer, one.annotator) for one in dataset.examples()][:2]
    )
    assert dataset.counts().reject == 1
    # Those who had not answered by then have no answer now.
    assert dataset.at(first).restore() == 2
    assert [(one.text, one.answer) for one in dataset.examples()] == [
        ("Add 5", "accept"),
        ("Stir", None),
        ("Wait", None),
    ]
    assert dataset.at(last).restore() == 2
    assert [(one.text, one.answer) for one in dataset.examples()][:2] == [
        ("Add 5", "accept"),
        ("Stir", "ignore"),
    ]
    # Nothing was taken away on the way.
    assert len(list(dataset.answers(current=False))) == 4 + 1 + 2 + 2


def test_going_back_for_one_split_or_one_annotator(lived):
    dataset, (start, *_) = lived
    assert dataset.at(start).restore("dev") == 0
    assert dataset.at(start).restore(annotator="ann") == 2
    assert list(dataset.answers(annotator="ann")) == []


@pytest.mark.parametrize("method", ["examples", "answers", "answers_with_texts", "counts"])
def test_a_split_that_never_was_is_refused_at_any_time(lived, add, method):
    dataset, (_, *_, last) = lived
    time.sleep(0.002)
    add(["Later"], split="later")
    with pytest.raises(DataError, match=r"no split 'trian'; the splits of that time are: train\. "):
        getattr(dataset.at(last), method)("trian")
    with pytest.raises(DataError, match="there was no split 'trian'; it held nothing yet"):
        getattr(dataset.at(1e9), method)("trian")
    # One that came later held nothing at that time.
    found = getattr(dataset.at(last), method)("later")
    assert found in ([], Counts())


def test_a_copy_is_a_store(lived, store, tmp_path, give):
    dataset, _ = lived
    path = store.backup(tmp_path / "copy.db")
    give(dataset, next(dataset.examples()), "ignore")
    with closing(Store(path)) as copy:
        assert copy.key == store.key
        copied = copy.dataset("demo")
        assert copied.counts() == Store(path).dataset("demo").counts()
        assert len(list(copied.answers(current=False))) == 4
        assert all(check.ok for check in copy.verify())
        given = Answer("new", next(copied.examples()).input_hash, "train", "eve", "accept")
        assert copied.record(given)


def test_a_copy_never_replaces_what_is_there(store, tmp_path):
    (tmp_path / "copy.db").write_text("dear diary")
    with pytest.raises(StoreError, match="is there already"):
        store.backup(tmp_path / "copy.db")
    with pytest.raises(StoreError, match="cannot be written"):
        store.backup(tmp_path / "nowhere" / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "dear diary"
    assert [one.name for one in tmp_path.glob("*copy*")] == ["copy.db"]


def test_a_whole_store_holds_together(lived, store):
    checks = store.verify()
    assert [check.rule for check in checks if not check.ok] == []
    assert sum(check.checked for check in checks) > 10


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("UPDATE nbner_splits SET accept = 5", "added ="),
        ("UPDATE nbner_splits SET total = 2", "added ="),
        ("DELETE FROM nbner_standing WHERE example_id = 1", "added ="),
        ("UPDATE nbner_current SET answer_id = 1 WHERE annotator = 'bob'", "current is"),
        ("DELETE FROM nbner_current WHERE annotator = 'bob'", "current is"),
        ("UPDATE nbner_standing SET answer_id = NULL WHERE example_id = 1", "what stands"),
        ("UPDATE nbner_examples SET text = 'Other' WHERE id = 1", "every text"),
        ("""UPDATE nbner_answers SET spans = '[[0,99,"A"]]' WHERE id = 1""", "every text"),
        ("UPDATE nbner_examples SET meta = 'x' WHERE id = 1", "every text"),
    ],
)
def test_what_does_not_hold_together_is_found(lived, store, statement, rule):
    with store._database.writing() as connection:
        connection.execute(text(statement))
    broken = [check for check in store.verify() if not check.ok]
    assert any(check.rule.startswith(rule) for check in broken)
    assert all(check.violations and check.detail for check in broken)


def test_spans_come_back_from_the_past(lived):
    dataset, (_, first, *_) = lived
    assert dataset.at(first).examples()[0].spans == (Span(0, 3, "A"),)
