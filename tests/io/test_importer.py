"""What becomes of rows on their way into the store."""

import html

import pandas as pd
import pytest
from example_strategies import examples, texts_with_tokens
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nbner import DataError, Example, Span, Token
from nbner.io.formats import read
from nbner.io.importer import prepare_rows
from nbner.io.rows import example_from_row
from nbner.store.store import Store

TEXT = "Add 5ml of LB"


def task(*spans, text=TEXT, **keys):
    parts = [{"start": start, "end": end, "label": label} for start, end, label in spans]
    return {"text": text, "spans": parts, **keys}


def only(dataset, split="train"):
    (example,) = dataset.examples(split)
    return example


def test_texts_alone_are_open(add, dataset):
    report = add(["Add 5ml", "Stir"])
    assert (report.added, report.answered, report.duplicate) == (2, 0, 0)
    assert [(one.text, one.spans, one.answer) for one in dataset.examples()] == [
        ("Add 5ml", (), None),
        ("Stir", (), None),
    ]
    assert dataset.counts().open == 2


def test_a_row_with_an_answer_is_that_annotators_answer(add, dataset):
    add([task((0, 3, "A"), answer="reject", _annotator_id="bob", flagged=True, note="no")])
    (answer,) = dataset.answers()
    assert (answer.annotator, answer.answer, answer.spans) == ("bob", "reject", (Span(0, 3, "A"),))
    assert (answer.flagged, answer.note) == (True, "no")


def test_an_answer_without_a_name_is_imported(add, dataset):
    add([task(answer="accept")])
    assert only(dataset).annotator == "import"


def test_spans_without_an_answer_are_suggestions(add, dataset):
    add([task((0, 3, "A"))])
    assert (only(dataset).answer, only(dataset).spans) == (None, (Span(0, 3, "A"),))
    assert list(dataset.answers()) == []


def test_conll_is_gold_by_nature(add, dataset, tmp_path):
    (tmp_path / "a.conll").write_text("Add\tO\n5\tB-N\n")
    report = add(tmp_path / "a.conll")
    assert report.answered == 1
    assert (only(dataset).answer, only(dataset).annotator) == ("accept", "import")
    assert only(dataset).pretokenized


@pytest.mark.parametrize(
    ("row", "gold", "answer"),
    [
        (task((0, 3, "A")), True, "accept"),
        (task(), True, "accept"),
        (task((0, 3, "A"), answer="reject"), True, "reject"),
        (task((0, 3, "A"), answer="accept"), False, None),
        (task((0, 3, "A")), False, None),
    ],
)
def test_gold_can_be_overridden(add, dataset, row, gold, answer):
    add([row], gold=gold)
    assert only(dataset).answer == answer
    assert only(dataset).spans == tuple(
        Span(part["start"], part["end"], part["label"]) for part in row.get("spans", ())
    )


def test_gold_needs_spans_somewhere_in_the_source(add, dataset):
    with pytest.raises(DataError, match="no row of the source has spans") as caught:
        add([{"text": TEXT}, {"text": "Stir", "kind": "step"}], gold=True)
    assert caught.value.field == "gold"
    assert dataset.counts().total == 0
    add([{"text": TEXT}, task((0, 4, "A"), text="Stir")], gold=True)
    assert [one.answer for one in dataset.examples()] == [None, "accept"]


def test_gold_by_nature_can_be_taken_as_suggestions(add, dataset, tmp_path):
    (tmp_path / "a.conll").write_text("Add\tO\n5\tB-N\n")
    add(tmp_path / "a.conll", gold=False)
    assert (only(dataset).answer, only(dataset).spans) == (None, (Span(4, 5, "N"),))


@pytest.mark.parametrize("gold", [None, True])
def test_an_answer_to_a_binary_task_is_marked_as_one(add, dataset, gold):
    add([task((0, 3, "A"), answer="accept", _view_id="ner")], gold=gold)
    assert (only(dataset).answer, only(dataset).binary) == ("accept", True)
    (answer,) = dataset.answers()
    assert answer.extra["binary"] is True


@pytest.mark.parametrize("text", ["", "  ", "\n\t", "\u3000"])
def test_an_empty_text_is_refused(add, dataset, text):
    with pytest.raises(DataError, match="empty") as caught:
        add(["fine", text])
    assert (caught.value.line, caught.value.field) == (2, "text")
    assert list(dataset.examples()) == []


@pytest.mark.parametrize(("start", "end"), [(-1, 3), (0, 14), (3, 3), (3, 2), (20, 21)])
@pytest.mark.parametrize("tokens", [None, TEXT.split()])
def test_a_span_outside_its_text_is_refused(add, dataset, start, end, tokens):
    with pytest.raises(DataError) as caught:
        add([task(), task((0, 3, "A"), (start, end, "A"), text=TEXT, tokens=tokens)])
    assert (caught.value.line, caught.value.field) == (2, "spans[1]")
    assert "13 characters" in str(caught.value)
    assert dataset.splits() == {}


def test_a_span_off_the_rows_own_tokens_is_refused(add):
    with pytest.raises(
        DataError, match=r"'5' \(4 to 5\) does not begin and end with one of the row"
    ):
        add([task((4, 5, "A"), tokens=TEXT.split())])


def test_a_span_off_the_tokenizers_tokens_is_kept_and_listed(add, dataset):
    report = add([task((4, 5, "N"), (0, 3, "A"), answer="accept")])
    assert (report.added, report.misaligned, report.refused) == (1, 1, 0)
    assert only(dataset).spans == (Span(0, 3, "A"), Span(4, 5, "N"))
    (issue,) = report.issues
    assert (issue.kind, issue.text, issue.label, issue.line) == (
        "misaligned",
        "5",
        "N",
        1,
    )


def test_a_row_with_a_span_off_the_tokens_can_be_refused(add, dataset):
    report = add([task((4, 5, "N")), "Stir"], misaligned="refuse")
    assert (report.added, report.misaligned, report.refused) == (1, 1, 1)
    assert only(dataset).text == "Stir"
    assert [issue.kind for issue in report.issues] == ["misaligned", "refused"]


def test_the_tokenizer_is_asked_only_where_there_are_spans_and_no_tokens(add):
    def refuse(text):
        raise AssertionError(text)

    add(["Add", task((0, 3, "A"), tokens=TEXT.split()), task(text="Stir")], tokenize=refuse)


def test_of_overlapping_spans_the_longest_is_kept_and_the_rest_listed(add, dataset):
    report = add([task((0, 3, "A"), (0, 7, "B"), (8, 10, "C"), answer="accept")])
    assert report.overlapping == 1
    assert only(dataset).spans == (Span(0, 7, "B"), Span(8, 10, "C"))
    (issue,) = report.issues
    assert (issue.start, issue.end, issue.label) == (0, 3, "A")


def test_a_label_that_is_not_in_the_list_is_refused(add, dataset):
    with pytest.raises(DataError, match=r"'B' is not one of: A.*labels=None") as caught:
        add([task((0, 3, "A")), task((0, 3, "B"), text="Add it")], labels=("A",))
    assert (caught.value.line, caught.value.field) == (2, "spans[0].label")
    assert dataset.counts().total == 0


def test_labels_come_from_the_data_in_its_order(add, dataset):
    dataset.set_labels(["Z"])
    add([task((0, 3, "B"), answer="accept"), task((0, 3, "A"), text="Add it")])
    assert dataset.labels == ("Z", "B", "A")
    assert only_answered(dataset).labels == ("Z", "B", "A")


def only_answered(dataset):
    (example,) = dataset.examples(answered=True)
    return example


def test_labels_of_what_is_refused_are_not_taken(add, dataset):
    add([task((4, 5, "N")), "Stir"], misaligned="refuse")
    assert dataset.labels == ()


def test_half_of_a_pair_is_refused_before_the_database_sees_it(add):
    for row in (
        ["\ud83d"],
        [task(answer="accept", _annotator_id="\ud83d")],
        [task((0, 3, "\ud83d"))],
    ):
        with pytest.raises(DataError, match="half of a pair"):
            add(row)


@pytest.mark.parametrize("meta", [{("a", "b"): 1}, {"a": {("b",): 1}}])
def test_what_json_cannot_hold_is_refused(add, meta):
    if ("a", "b") in meta:
        add([Example("Add", meta={"fine": 1})])
    with pytest.raises(DataError, match="cannot be stored"):
        add([Example("Stir", meta=meta)])


def test_meta_with_pandas_and_numpy_in_it_is_stored_plainly(add, dataset):
    frame = pd.DataFrame(
        {"text": ["Add"], "n": [3], "x": [0.5], "day": [pd.Timestamp("2024-01-02")]}
    )
    add(frame)
    assert only(dataset).meta == {"n": 3, "x": 0.5, "day": "2024-01-02T00:00:00"}


# Duplicates.


def test_a_text_is_added_once_to_a_split(add, dataset):
    assert add(["Add", "Stir", "Add"]).duplicate == 1
    assert add(["Stir", "Wait"]).duplicate == 1
    assert add(["Add"], split="dev").added == 1
    assert dataset.splits() == {"train": 3, "dev": 1}


def test_a_text_is_known_again_whatever_its_hash(add, dataset):
    add([{"text": "Add", "_input_hash": 7}])
    report = add(["Add", {"text": "Add", "_input_hash": 8}])
    assert (report.added, report.duplicate) == (0, 2)
    assert only(dataset).input_hash == 7


def test_two_texts_with_one_hash_are_two_examples(add, dataset):
    assert add([{"text": text, "_input_hash": 7} for text in ("Add", "Stir", "Wait")]).added == 3
    add([{"text": "Rest", "_input_hash": 7}])
    found = list(dataset.examples())
    assert found[0].input_hash == 7
    assert len({example.input_hash for example in found}) == 4
    assert all(dataset.find(one.input_hash, "train").text == one.text for one in found)


def test_the_same_answer_again_changes_nothing(add, dataset):
    rows = [task((0, 3, "A"), answer="accept")]
    add(rows)
    report = add(rows)
    assert (report.duplicate, report.answered) == (1, 0)
    assert "same answer" in report.issues[0].reason
    assert len(list(dataset.answers(current=False))) == 1


def test_another_answer_to_a_known_text_is_the_newest(add, dataset):
    add([task((0, 3, "A"), answer="accept"), task((0, 3, "B"), answer="accept")])
    report = add([task(answer="reject", _annotator_id="bob")])
    assert (report.added, report.duplicate, report.answered) == (0, 1, 1)
    assert "'bob'" in report.issues[0].reason
    assert [(one.annotator, one.answer) for one in dataset.answers(current=False)] == [
        ("import", "accept"),
        ("import", "accept"),
        ("bob", "reject"),
    ]
    assert [one.spans for one in dataset.answers()] == [(Span(0, 3, "B"),), ()]
    assert (only(dataset).answer, dataset.counts().reject) == ("reject", 1)


def test_gold_for_a_text_that_was_open_answers_it(add, dataset):
    add([TEXT])
    report = add([task((0, 3, "A"))], gold=True)
    assert (report.added, report.duplicate, report.answered) == (0, 1, 1)
    assert (only(dataset).answer, dataset.counts().accept) == ("accept", 1)


def test_suggestions_for_a_known_text_leave_it_as_it_is(add, dataset):
    add([TEXT])
    assert add([task((0, 3, "A"))]).duplicate == 1
    assert only(dataset).spans == ()


# All or nothing.


@pytest.mark.parametrize(
    "bad", [3, "", {"text": "a", "spans": [{"start": 0, "end": 9, "label": "A"}]}]
)
def test_after_an_error_the_store_is_as_it_was(add, dataset, bad):
    add(["Add"])
    before = (list(dataset.examples()), dataset.labels, dataset.counts(), dataset.splits())
    many = [task((0, 3, "New"), text=f"Add {n}", answer="accept") for n in range(2500)]
    with pytest.raises(DataError):
        add([*many, bad], split="dev")
    assert (list(dataset.examples()), dataset.labels, dataset.counts(), dataset.splits()) == before


def test_a_stop_in_the_middle_leaves_the_store_as_it_was(add, dataset):
    def rows():
        yield from (f"text {n}" for n in range(2500))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add(rows())
    assert dataset.counts().total == 0


def test_rows_may_come_from_the_store_itself(add, dataset):
    add([f"text {n}" for n in range(1500)])
    assert add(dataset.examples("train"), split="copy").added == 1500


@pytest.mark.parametrize("split", ["", " ", None, 3])
def test_a_split_has_a_name(add, split):
    with pytest.raises(DataError, match="split"):
        add(["Add"], split=split)


# The report.


def test_the_report_has_a_frame_with_every_problem(add, jsonl):
    path = jsonl(task((4, 5, "N"), (0, 3, "A"), (0, 3, "B")), task())
    frame = add(path).frame
    assert list(frame.columns) == [
        "file",
        "line",
        "kind",
        "text",
        "start",
        "end",
        "label",
        "reason",
    ]
    assert frame["kind"].tolist() == ["misaligned", "overlapping", "duplicate"]
    assert frame["line"].tolist() == [1, 1, 2]
    assert set(frame["file"]) == {str(path)}
    assert frame["start"].tolist()[:2] == [4, 0]
    assert pd.isna(frame["start"][2])


def test_the_frame_of_no_problems_is_empty_with_its_columns(add):
    frame = add(["Add"]).frame
    assert (len(frame), len(frame.columns)) == (0, 8)


def test_the_report_says_it_in_words(add):
    add(["Add"])
    report = add([task((4, 5, "N"), (0, 3, "A"), (0, 3, "B"), answer="accept"), "Add"])
    assert str(report) == (
        "Added 1 example to 'train', with 1 answer; 1 text there already; 1 span off the tokens; "
        "1 span left out for a longer one."
    )


def test_the_report_shows_text_as_text(add):
    evil = "<img src=x onerror=alert(1)>"
    report = add([evil, evil], split="<script>")
    shown = report._repr_html_()
    assert "<img" not in shown
    assert "<script>" not in shown
    assert html.escape(evil) in shown


def test_the_report_shows_the_first_problems_and_counts_the_rest(add):
    report = add(["Add"] * 2001)
    assert report._repr_html_().count("<tr>") == 11
    assert "1,990 more" in report._repr_html_()


# Round trips through the store.

ANSWERS = ("accept", "reject", "ignore", None)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    drawn=st.lists(
        examples(answers=ANSWERS), max_size=4, unique_by=(lambda e: e.text, lambda e: e.input_hash)
    )
)
def test_examples_come_back_as_they_were_added(tokenize, drawn):
    store = Store(":memory:")
    dataset = store.dataset("demo")
    drawn = [one for one in drawn if one.text.strip()]
    report = dataset.add(prepare_rows(read(drawn), tokenize=tokenize))
    found = list(dataset.examples())
    store.close()
    assert report.added == len(drawn)
    for added, kept in zip(drawn, found, strict=True):
        assert kept.labels == (None if added.answer is None else dataset_labels(drawn))
        assert [getattr(kept, name) for name in SAME] == [getattr(added, name) for name in SAME]


SAME = ("text", "tokens", "spans", "answer", "flagged", "note", "meta", "input_hash", "annotator")


def dataset_labels(drawn):
    return tuple(dict.fromkeys(span.label for one in drawn for span in one.spans))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(drawn=texts_with_tokens())
@example(drawn=("O B-X ", [(0, 1), (2, 5)]))
def test_any_text_is_known_again(tokenize, drawn):
    text, places = drawn
    if not text.strip():
        return
    tokens = tuple(Token(text[start:end], start, end) for start, end in places)
    store = Store(":memory:")
    dataset = store.dataset("demo")
    reports = [
        # Texts are meant as they stand, also those that look as if they marked entities.
        dataset.add(prepare_rows(read([source], spans_key="spans"), tokenize=tokenize))
        for source in (text, Example(text, tokens))
    ]
    assert [(one.added, one.duplicate) for one in reports] == [(1, 0), (0, 1)]
    (found,) = dataset.examples()
    store.close()
    assert found.text == text


def test_unknown_keys_come_back_from_the_store(add, dataset):
    span = {"start": 0, "end": 3, "label": "A", "source": "v3", "score": 0.5, "rank": 1}
    rows = [
        {
            "text": "Add",
            "spans": [span],
            "answer": "accept",
            "html": "<b>",
            "_session_id": "s",
            "_task_hash": 5,
        },
        {"text": "Stir", "html": "<i>", "_session_id": None, "_view_id": "ner_manual"},
    ]
    add(rows)
    answered, still_open = dataset.examples()
    assert answered.extra == {"html": "<b>", "_session_id": "s", "_task_hash": 5}
    assert (answered.spans[0].source, answered.spans[0].score) == ("v3", 0.5)
    assert answered.spans[0].extra == {"rank": 1}
    assert still_open.extra["html"] == "<i>"
    assert still_open.extra["_view_id"] == "ner_manual"


def test_a_persons_answer_does_not_inherit_the_view_of_the_file(add, dataset, give):
    add([task((0, 3, "A"), answer="accept", _view_id="ner", html="<b>")])
    give(dataset, only(dataset), "accept", [(0, 3, "A")])
    assert not only(dataset).binary
    assert "_view_id" not in only(dataset).extra
    assert only(dataset).extra["html"] == "<b>"


def test_a_row_shown_as_an_example_is_what_the_store_gives(add, dataset, jsonl):
    path = jsonl(
        task((0, 3, "A"), answer="accept", _annotator_id="bob", _timestamp=5, html="x"), ""
    )
    (row,) = read(path)
    add(path)
    assert example_from_row(row) == Example(
        **{
            **{name: getattr(only(dataset), name) for name in Example.__dataclass_fields__},
            "labels": None,
        }
    )


# What becomes of spans off the tokens.

OFF = {"text": "Add 50ml of LB", "spans": [{"start": 3, "end": 6, "label": "A"}]}
INSIDE = {"text": "Stir well", "spans": [{"start": 1, "end": 3, "label": "A"}]}


@pytest.mark.parametrize(
    ("choice", "place", "done"),
    [
        ("keep", (3, 6), "kept as characters"),
        ("expand", (4, 8), "expanded to the tokens"),
    ],
)
def test_a_span_off_the_tokens_becomes_what_was_asked_for(add, dataset, choice, place, done):
    report = add([OFF], misaligned=choice)
    ((span,),) = [one.spans for one in dataset.examples()]
    assert (span.start, span.end) == place
    assert (report.added, report.misaligned, report.refused) == (1, 1, 0)
    assert done in report.frame["reason"][0]


def test_a_span_is_contracted_to_what_lies_in_it(add, dataset):
    task = {"text": "Add 50ml of LB", "spans": [{"start": 2, "end": 11, "label": "A"}]}
    add([task, INSIDE], misaligned="contract")
    (first,), (second,) = (one.spans for one in dataset.examples())
    assert "Add 50ml of LB"[first.start : first.end] == "50ml of"
    # No token lies in it as a whole: it is kept, and reported.
    assert (second.start, second.end) == (1, 3)


def test_own_tokens_count_too_where_a_choice_was_made(add, dataset):
    tokens = [{"start": 0, "end": 4}, {"start": 5, "end": 9}]
    report = add([{**INSIDE, "tokens": tokens}], misaligned="expand")
    assert report.misaligned == 1
    ((span,),) = [one.spans for one in dataset.examples()]
    assert (span.start, span.end) == (0, 4)
    refused = add([{**INSIDE, "tokens": tokens}], misaligned="refuse", split="other")
    assert (refused.added, refused.refused) == (0, 1)


def test_spans_that_overlap_once_expanded_are_reported(add, dataset):
    spans = [{"start": 1, "end": 3, "label": "A"}, {"start": 3, "end": 4, "label": "B"}]
    report = add([{"text": "Stir well", "spans": spans}], misaligned="expand")
    assert (report.misaligned, report.overlapping) == (2, 1)
    ((span,),) = [one.spans for one in dataset.examples()]
    assert (span.start, span.end, span.label) == (0, 4, "A")


def test_an_unknown_choice_is_refused(add):
    with pytest.raises(DataError, match="'drop' is no choice"):
        add([OFF], misaligned="drop")


def test_a_text_with_nul_is_refused_whatever_the_store_is(jsonl, add, dataset):
    with pytest.raises(DataError, match="character 1 is NUL") as caught:
        add(jsonl({"text": "fine"}, {"text": "A\0dd"}))
    assert (caught.value.line, caught.value.field) == (2, "text")
    assert dataset.counts().total == 0
