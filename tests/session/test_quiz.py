"""A class labels blind on one store; what it hands in is never gold."""

from __future__ import annotations

import pytest
from IPython.core.formatters import DisplayFormatter

import nbner
from nbner import DataError, Session

GOLD = [
    ("Ada lives in Rome .", [(0, 3, "Person"), (13, 17, "Place")]),
    ("Bo lives in Oslo .", [(0, 2, "Person"), (12, 16, "Place")]),
    ("Nobody <b>left</b> .", []),
]
LABELS = ["Person", "Place"]


KEYS = ("start", "end", "label")


def rows():
    return [
        {
            "text": text,
            "answer": "accept",
            "spans": [dict(zip(KEYS, one, strict=True)) for one in spans],
        }
        for text, spans in GOLD
    ]


@pytest.fixture(params=["sqlite", "postgres"])
def store(request, tmp_path):
    if request.param == "sqlite":
        return tmp_path / "class.db"
    return request.getfixturevalue("postgres_server").place()


@pytest.fixture
def sessions(store):
    names = ("teacher", "mia", "noor")
    made = [Session("class", labels=LABELS, store=store, annotator=name) for name in names]
    made[0].add(rows(), split="dev")
    yield made
    for session in made:
        session.close()


def hand_in(quiz, answers):
    """Answer as the page does, text by text."""
    by_text = {one.text: one for one in quiz.pending()}
    for text, spans in answers.items():
        quiz.widget.answer("accept", spans, example=by_text[text])


def test_a_class_is_marked_and_its_sheets_stay_apart(sessions):
    teacher, mia, noor = sessions
    quiz = nbner.quiz(teacher, "week 3")
    before = teacher.counts(), teacher.answers().to_dict()
    one, two = nbner.quiz(mia, "week 3"), nbner.quiz(noor, "week 3", split="dev", n=3)
    hand_in(one, dict(GOLD))
    # Whoever comes later sees nothing of it: not in the text, not in the list.
    reply = two.widget.receive({"type": "list", "id": "1", "filter": {}, "offset": 0, "want": 9})
    assert [(row["answer"], row["by"], row["labels"]) for row in reply["rows"]] == [
        (None, "", [])
    ] * 3
    assert all(not task["spans"] for task in two.widget._take_snapshot()["window"])
    hand_in(two, {GOLD[0][0]: [(0, 3, "Person")], GOLD[1][0]: [(12, 16, "Person")]})
    two.widget.answer("ignore", example=two.pending()[0])

    frame = quiz.frame.set_index(["student", "question"])
    assert list(frame.columns) == [
        "text",
        "answer",
        "gold",
        "found",
        "missed",
        "extra",
        "f",
        "right",
    ]
    assert frame.loc["mia", "right"].tolist() == [True, True, True]
    assert frame.loc["noor", "found"].tolist() == [1, 0, 0]
    assert frame.loc["noor", "missed"].tolist() == [1, 2, 0]
    assert frame.loc["noor", "extra"].tolist() == [0, 1, 0]
    scores = dict(zip(quiz.student_frame["student"], quiz.student_frame["f"], strict=True))
    assert scores == pytest.approx({"mia": 1.0, "noor": 2 / 6})
    assert quiz.question_frame["right"].tolist() == [0.5, 0.5, 1.0]
    assert quiz.agreement(samples=0).f == pytest.approx(2 / 6)
    title = quiz.plot().get_title(loc="left")
    assert title == "2 students, F 0.71; hardest is 2, F 0.57"

    # Nothing of this is gold, an answer, or a text of the dataset that was asked about.
    after = teacher.counts(), teacher.answers().to_dict()
    assert after == before
    assert set(teacher.answers()["annotator"]) == {"import"}
    assert teacher.summary.splits.keys() == {"dev"}
    assert teacher.store.verify().ok


def test_the_list_of_a_quiz_is_filtered_by_annotator(sessions):
    teacher, mia, _ = sessions
    nbner.quiz(teacher, "week 3")
    quiz = nbner.quiz(mia, "week 3")
    hand_in(quiz, dict(GOLD[:2]))

    def listed(annotator):
        wanted = {"annotator": annotator}
        message = {"type": "list", "id": "1", "filter": wanted, "offset": 0, "want": 9}
        return [row["by"] for row in quiz.widget.receive(message)["rows"]]

    assert listed("mia") == ["mia", "mia"]
    assert listed("noor") == []
    # A decision that was taken back leaves a draft, which nobody has answered.
    quiz.widget.undo()
    assert listed("mia") == ["mia"]


def test_the_gold_is_shown_side_by_side_and_closes_the_quiz(sessions):
    teacher, mia, noor = sessions
    nbner.quiz(teacher, "q")
    one = nbner.quiz(mia, "q")
    with pytest.raises(DataError, match=r"3 of 3 examples.*early=True"):
        one.reveal()
    hand_in(nbner.quiz(noor, "q"), dict(GOLD))
    hand_in(one, {GOLD[0][0]: [(0, 3, "Place")]})
    shown = one.reveal(early=True)
    assert "0 of 2 gold spans found, 1 too many; F 0.00 over 1 of 3" in str(shown)
    assert "the class of 2" in str(shown)
    html = shown._repr_html_()
    assert "Place ✕" in html
    assert "Person 1 of 2" in html
    assert "not answered" in html
    assert "&lt;b&gt;left" in html
    assert "<script" not in html
    with pytest.raises(DataError, match="has seen the gold"):
        hand_in(nbner.quiz(mia, "q"), {GOLD[1][0]: []})
    assert len(nbner.quiz(mia, "q").frame) == 4


def test_what_stands_in_a_quiz_is_marked_against_the_gold_that_stands(sessions):
    teacher, mia, _ = sessions
    quiz = nbner.quiz(mia, "q")
    hand_in(quiz, {GOLD[0][0]: [(0, 3, "Person")]})
    assert quiz.frame["missed"].tolist() == [1]
    example = next(one for one in teacher.examples("dev") if one.text == GOLD[0][0])
    corrector = teacher.manual(split="dev")
    corrector.answer("accept", [(0, 3, "Person")], example=example)
    assert quiz.frame["right"].tolist() == [True]


def test_nothing_is_trained_on_a_quiz(sessions, store):
    _, mia, _ = sessions
    hand_in(nbner.quiz(mia, "q"), dict(GOLD))
    with pytest.raises(DataError, match=r"no gold and is never trained on.*Session\('class'"):
        Session("quizzes of class", store=store)


def test_bad_input_names_the_way_out(sessions):
    teacher, mia, _ = sessions
    with pytest.raises(DataError, match="no split 'train'; the splits are: dev"):
        nbner.quiz(teacher, "q", split="train")
    with pytest.raises(DataError, match=r"4 examples are asked for.*1 to 3"):
        nbner.quiz(teacher, "q", n=4)
    nbner.quiz(teacher, "q", n=2)
    with pytest.raises(
        DataError, match=r"there already, with 2 examples of 'dev'.*quiz\(session, 'q'\)"
    ):
        nbner.quiz(mia, "q", n=3)
    assert nbner.quiz(mia, "q").results.students == ()
    assert "Nobody has handed in anything yet" in str(nbner.quiz(mia, "q").results)
    nbner.quiz(mia, "q").plot()


def test_model_and_k_best_stand_beside_the_sheet(cooking):
    session, _ = cooking
    quiz = nbner.quiz(session, "kitchen", n=2, annotator="mia")
    data, _ = DisplayFormatter().format(quiz)
    assert "application/vnd.jupyter.widget-view+json" in data
    for example in quiz.pending():
        quiz.widget.answer("accept", [], example=example)
    shown = quiz.reveal(k=2)
    predicted = session.predict([one.text for one in shown.results.questions])
    found = [[(s.start, s.end, s.label) for s in spans] for spans in shown.predicted]
    for i, spans in enumerate(found):
        rows = predicted[predicted["example"] == i]
        assert spans == list(zip(rows["start"], rows["end"], rows["label"], strict=True))
    assert [len(parses) for parses in shown.parses] == [2, 2]
    html = shown._repr_html_()
    assert html.count("<b>model</b>") == html.count("<b>best 2</b>") == 2
    assert isinstance(quiz.widget, nbner.Annotator)
