"""The whole main job through the public face, from adding texts to exporting gold."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys

import pandas as pd
import pytest

import nbner
from nbner import DataError, ModelError, NbnerError, Session, Span, StoreError, TrainingError

LABELS = ["Person", "Place"]
ROWS = [
    {"text": f"{person} lives in {place} .", "answer": "accept", "spans": spans}
    for person, place in [("Ada", "Rome"), ("Bo", "Paris"), ("Cleo", "Oslo"), ("Dan", "Lima")]
    for spans in [
        [
            {"start": 0, "end": len(person), "label": "Person"},
            {
                "start": len(person) + 10,
                "end": len(person) + 10 + len(place),
                "label": "Place",
            },
        ]
    ]
]
OPEN = ["Ada lives in Oslo .", "Bo lives in Lima .", "Cleo lives in Rome ."]


@pytest.fixture
def session():
    with Session("people", labels=LABELS, store=":memory:", annotator="ann") as session:
        yield session


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    store = tmp_path_factory.mktemp("trained") / "nbner.db"
    with Session("people", labels=LABELS, store=store, annotator="ann") as session:
        session.add(ROWS, split="train")
        session.add(ROWS, split="dev")
        session.add(OPEN, split="open")
        report = session.train(progress=False)
        yield session, report, store


def spans_of(example):
    return [(example.text[span.start : span.end], span.label) for span in example.spans]


# Data in.


def test_add_says_what_it_did(session):
    report = session.add([*ROWS, ROWS[0], "One more text."])
    assert (report.added, report.duplicate) == (5, 1)
    assert session.counts("train") == nbner.Counts(total=5, accept=4)
    assert list(report.frame["kind"]) == ["duplicate"]


def test_labels_come_from_the_data_where_none_are_given():
    with Session("people", store=":memory:") as session:
        session.add(ROWS)
        assert session.labels == ("Person", "Place")


def test_a_frame_of_texts_can_be_added(session):
    frame = pd.DataFrame({"text": OPEN, "source": ["a", "b", "c"]})
    session.add(frame)
    assert [one.meta["source"] for one in session.examples()] == ["a", "b", "c"]


def test_examples_are_tokenized_plain_values(session):
    session.add(OPEN)
    first = session.examples()[0]
    assert [token.text for token in first.tokens] == ["Ada", "lives", "in", "Oslo", "."]
    assert first.answer is None


def test_given_tokens_are_kept(session, tmp_path):
    file = tmp_path / "given.conll"
    file.write_text("New-York-based\tB-Place\nAda\tO\n", encoding="utf-8")
    session.add(file)
    assert [token.text for token in session.examples()[0].tokens] == ["New-York-based", "Ada"]


BAD_LINES = {
    "a line that is not JSON": ('{"text": "Ada"', "line 2"),
    "a span outside its text": (
        '{"text": "Ada", "spans": [{"start": 0, "end": 9, "label": "Person"}]}',
        "spans",
    ),
    "a span off the row's own tokens": (
        (
            '{"text": "Ada", "tokens": [{"text": "Ada", "start": 0, "end": 3, "id": 0}], '
            '"spans": [{"start": 0, "end": 2, "label": "Person"}]}'
        ),
        "tokens",
    ),
    "an empty text": ('{"text": "  "}', "text"),
    "an unknown label": (
        '{"text": "Ada", "spans": [{"start": 0, "end": 3, "label": "Robot"}]}',
        "Robot",
    ),
    "an unknown answer": ('{"text": "Ada", "answer": "maybe"}', "answer"),
}


@pytest.mark.parametrize(("line", "named"), BAD_LINES.values(), ids=list(BAD_LINES))
def test_bad_lines_are_named_and_nothing_is_half_added(session, tmp_path, line, named):
    file = tmp_path / "bad.jsonl"
    file.write_text(f'{{"text": "A good line."}}\n{line}\n', encoding="utf-8")
    with pytest.raises(DataError) as caught:
        session.add(file)
    message = str(caught.value)
    assert "bad.jsonl" in message
    assert "line 2" in message
    assert named in message
    assert session.counts().total == 0


def test_a_span_off_the_tokenizers_tokens_is_kept_counted_and_listed(session):
    report = session.add(
        [{"text": "Ada lives", "spans": [{"start": 0, "end": 2, "label": "Person"}]}]
    )
    assert (report.added, report.misaligned) == (1, 1)
    assert report.frame.iloc[0]["text"] == "Ad"


def test_a_file_that_is_not_there(session, tmp_path):
    with pytest.raises(DataError, match=r"gone\.jsonl"):
        session.add(tmp_path / "gone.jsonl")


# The store and the model behind the name.


def test_a_model_that_cannot_be_loaded(tmp_path):
    with pytest.raises(ModelError, match="no model 'en_nothing_there'"):
        Session(model="en_nothing_there", store=":memory:")
    with pytest.raises(ModelError, match="'qq'"):
        Session(model="blank:qq", store=":memory:")


def test_a_file_that_is_not_a_store_stays_as_it_is(tmp_path):
    file = tmp_path / "notes.db"
    file.write_text("these are notes, not a database\n" * 100)
    before = file.read_bytes()
    with pytest.raises(StoreError, match=r"notes\.db"):
        Session(store=file)
    assert file.read_bytes() == before


def test_a_store_of_a_newer_version_stays_as_it_is(tmp_path):
    file = tmp_path / "nbner.db"
    Session(store=file).close()
    with sqlite3.connect(file) as raw:
        raw.execute("UPDATE nbner_store SET schema_version = 999")
    raw.close()
    with pytest.raises(StoreError, match="newer"):
        Session(store=file)
    with sqlite3.connect(file) as raw:
        assert raw.execute("SELECT schema_version FROM nbner_store").fetchone() == (999,)
    raw.close()


@pytest.mark.parametrize("labels", ["Person", ["A", "A"], [""], [None]])
def test_bad_label_lists(labels):
    with pytest.raises(DataError):
        Session(labels=labels, store=":memory:")


def test_a_widget_without_labels_says_what_to_do():
    with Session(store=":memory:") as session, pytest.raises(DataError, match="labels="):
        session.manual()


# Labelling.


def test_labelling_by_code_resumes_and_undoes(session):
    session.add(OPEN)
    widget = session.manual()
    widget.answer("accept", [Span(0, 3, "Person")])
    widget.answer("ignore")
    assert session.manual().current.text == OPEN[2]
    frame = session.answers()
    assert list(frame["answer"]) == ["accept", "ignore"]
    assert frame["spans"][0] == [(0, 3, "Person")]
    widget.undo()
    assert session.manual().current.text == OPEN[1]
    assert session.counts("train").answered == 1


def test_manual_is_empty_also_where_the_data_brought_suggestions(session):
    session.add([{key: row[key] for key in ("text", "spans")} for row in ROWS])
    assert session.manual().current.spans == ()
    assert spans_of(session.make_gold().current) == [("Ada", "Person"), ("Rome", "Place")]


def test_a_draft_is_shown_as_it_was_left(session):
    session.add(OPEN)
    widget = session.manual()
    widget.answer("accept", [Span(0, 3, "Person")])
    widget.undo()
    assert spans_of(session.manual().current) == [("Ada", "Person")]


def test_make_gold_without_anything_to_suggest_says_what_to_do(session):
    session.add(OPEN)
    with pytest.raises(ModelError, match=r"session\.train\(\)"):
        session.make_gold()


def test_two_widgets_of_a_session_hear_of_each_other(session):
    session.add(OPEN)
    one, other = session.manual(), session.manual()
    heard = []
    other.send = lambda content, buffers=None: heard.append(content)
    one.answer("accept")
    assert [message["type"] for message in heard] == ["saved"]


# The model.


def test_training_learns_and_leaves_what_spacy_train_needs(trained):
    session, report, _ = trained
    assert report.f == 1.0
    assert session.evaluate().f == 1.0
    folder = report.path.parent
    assert {"config.cfg", "train.spacy", "dev.spacy"} <= {file.name for file in folder.iterdir()}


def test_spacy_train_accepts_the_saved_config(trained, tmp_path):
    _, report, _ = trained
    done = subprocess.run(
        [
            *(sys.executable, "-m", "spacy", "train", str(report.path.parent / "config.cfg")),
            *("--output", str(tmp_path), "--training.max_steps", "5"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "model-last").is_dir()


def test_suggestions_and_predictions_are_the_same(trained):
    session, _, _ = trained
    shown = session.make_gold("open").current
    frame = session.predict([shown.text])
    predicted = list(frame[["start", "end", "label"]].itertuples(index=False, name=None))
    assert [(span.start, span.end, span.label) for span in shown.spans] == predicted
    assert predicted == [(0, 3, "Person"), (13, 17, "Place")]


def test_the_answer_keeps_who_suggested(trained):
    session, report, _ = trained
    session.add(["Dan lives in Paris ."], split="kept")
    session.make_gold("kept").answer("accept")
    (answer,) = session.context.dataset.answers("kept")
    assert answer.extra["suggested_by"] == report.fingerprint


def test_predict_gives_a_row_a_span(trained):
    session, _, _ = trained
    frame = session.predict(["No name here .", OPEN[0]])
    assert list(frame.columns) == [
        *("example", "start", "end", "token_start", "token_end", "text", "label")
    ]
    rows = frame[frame["example"] == 1]
    assert list(rows["text"]) == ["Ada", "Oslo"]
    assert list(rows["token_start"]) == [0, 3]
    assert list(rows["token_end"]) == [1, 4]


def test_token_indices_are_those_of_the_tokens_that_came_with_the_text(trained):
    session, _, _ = trained
    tokens = [("Ada", 0), ("lives", 6), ("in", 12), ("Oslo", 15), (".", 20)]
    row = {
        "text": "Ada   lives in Oslo .",
        "tokens": [
            {"text": text, "start": start, "end": start + len(text), "id": i}
            for i, (text, start) in enumerate(tokens)
        ],
    }
    frame = session.predict([row])
    assert list(frame["text"]) == ["Ada", "Oslo"]
    assert list(frame["token_start"]) == [0, 3]


def test_predict_does_not_depend_on_the_batch_size(trained):
    session, _, _ = trained
    texts = [row["text"] for row in ROWS] * 5
    one = session.predict(texts, batch_size=1)
    pd.testing.assert_frame_equal(one, session.predict(texts, batch_size=64))


def test_predict_before_training_says_what_to_do(session):
    with pytest.raises(ModelError, match=r"session\.train\(\)"):
        session.predict(OPEN)


def test_evaluate_without_gold_says_what_to_do(trained):
    session, _, _ = trained
    with pytest.raises(DataError, match="there is no split 'test'; the splits are"):
        session.evaluate("test")


def test_evaluation_has_a_frame_schemes_and_a_picture(trained):
    session, _, _ = trained
    evaluation = session.evaluate()
    assert list(evaluation.frame["label"]) == LABELS
    assert set(evaluation.schemes) == {"strict", "exact", "partial", "ent_type"}
    assert evaluation.plot().get_title(loc="left")


def test_a_new_session_goes_on_with_the_last_model(trained):
    session, report, store = trained
    with Session("people", store=store) as again:
        assert again.labels == tuple(LABELS)
        assert report.fingerprint in repr(again)
        pd.testing.assert_frame_equal(again.predict(OPEN), session.predict(OPEN))


def test_training_on_nothing_says_what_to_do(session):
    session.add(OPEN)
    with pytest.raises(TrainingError, match=r"session\.manual\(\)"):
        session.train(progress=False)


def test_the_stop_button_keeps_the_best_model_so_far(trained, monkeypatch):
    session, _, _ = trained
    from nbner.training.loop import TrainingRun

    go_on = TrainingRun.__next__

    def pressed_after_an_evaluation(run):
        # What the notebook's stop button raises in the cell.
        if run.best is not None:
            raise KeyboardInterrupt
        return go_on(run)

    monkeypatch.setattr(TrainingRun, "__next__", pressed_after_an_evaluation)
    report = session.train()
    assert report.stopped == "by hand"
    assert session.evaluate().fingerprint == report.fingerprint


# Data out.


@pytest.mark.parametrize("suffix", ["jsonl", "spacy", "conll", "csv"])
def test_what_is_exported_can_be_added_again(trained, tmp_path, suffix):
    session, _, _ = trained
    file = tmp_path / f"gold.{suffix}"
    assert session.export(file, split="train").written == len(ROWS)
    with Session("again", store=":memory:") as again:
        assert again.add(file, gold=True if suffix == "csv" else None).added == len(ROWS)
        assert [spans_of(one) for one in again.examples()] == [
            spans_of(one) for one in session.examples("train")
        ]
        assert again.counts().accept == len(ROWS)


def test_exported_tasks_are_prodigys(trained, tmp_path):
    session, _, _ = trained
    file = tmp_path / "tasks.jsonl"
    session.export(file, split="train")
    task = json.loads(file.read_text(encoding="utf-8").splitlines()[0])
    assert task["answer"] == "accept"
    place = {"start": 13, "end": 17, "token_start": 3, "token_end": 3}
    assert task["spans"][1] == {**place, "label": "Place", "text": "Rome"}
    assert {"_input_hash", "_task_hash", "tokens"} <= set(task)


def test_an_unknown_suffix_says_which_are_known(trained, tmp_path):
    session, _, _ = trained
    with pytest.raises(NbnerError, match=r"\.jsonl"):
        session.export(tmp_path / "gold.xyz")
