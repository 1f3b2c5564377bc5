"""A model that is trained behind the widget while somebody labels."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from nbner import Session, simulate
from nbner.errors import DataError, ModelError
from nbner.nlp.pipeline import labels_of, load_base
from nbner.session import learning
from nbner.simulation.headless_client import HeadlessClient
from nbner.types import Example, Span

LABELS = ("Action", "Amount", "Reagent")


def sentences(size, seed):
    """Draw different texts with an action, an amount and a reagent."""
    draw = random.Random(seed)
    verbs = ("Add", "Pour", "Mix", "Stir", "Discard", "Heat")
    amounts = ("5 ml", "10 mg", "two drops", "3 g", "half a litre")
    reagents = ("water", "LB broth", "ethanol", "salt", "E. coli", "agar", "buffer")
    tails = ("carefully .", "into the flask .", "and wait .", ", then rest .")
    found = {}
    while len(found) < size:
        parts = [draw.choice(verbs), draw.choice(amounts), "of", draw.choice(reagents)]
        text = " ".join([*parts, draw.choice(tails)])
        at = [0, len(parts[0]) + 1, len(f"{parts[0]} {parts[1]} of ")]
        words = (parts[0], parts[1], parts[3])
        spans = (Span(i, i + len(w), label) for i, w, label in zip(at, words, LABELS, strict=True))
        found[text] = Example(text, spans=tuple(spans), answer="accept")
    return list(found.values())


CORPUS = sentences(60, seed=5)
GOLD = {one.text: one.spans for one in CORPUS}
SECONDS = 60  # that a training takes at most, on the slowest machine


@pytest.fixture
def quick(monkeypatch):
    use_learner(monkeypatch, "learn")


def use_learner(monkeypatch, name):
    # The process gets the modules' path from this one.
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    monkeypatch.setattr(learning, "LEARNER", f"stub_learners:{name}")


def opened(store=":memory:", texts=None, **options):
    session = Session("d", labels=LABELS, store=store, **{"annotator": "ann", **options})
    session.add([one.text for one in CORPUS] if texts is None else texts)
    return session


def heard(widget):
    """Record the messages that a widget posts."""
    sent = []
    widget._post = sent.append
    return sent


def label(page, count, kind=None):
    """Label the next examples as gold has them, and return them as they were shown."""
    shown = []
    for _ in range(count):
        example = page.next_example()
        page.accept(example, GOLD[example.text], 1.0)
        shown.append(example)
    return shown


def predicted(session, texts):
    """Return the spans that ``session.predict`` gives for each text."""
    frame = session.predict(texts)
    found = [set() for _ in texts]
    for row in frame.itertuples():
        found[row.example].add(Span(row.start, row.end, row.label))
    return found


def stored(session):
    return list(session.context.dataset.answers("train", current=False))


# One session that learns with the learner of nbner, of which several tests look at a side.


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    store = tmp_path_factory.mktemp("learning") / "nbner.db"
    session = opened(store)
    widget = session.make_gold(learn=True, strategy="uncertainty", holdout=0.0)
    sent = heard(widget)
    page = HeadlessClient(widget)
    first = label(page, 4)
    widget.learning.wait(SECONDS)
    before = (widget.learning.state, widget.learning.status.text)
    first += label(page, 1)
    kept = page.next_example()
    widget.learning.wait(SECONDS)
    # What a page has shown stays; what it has only been sent comes anew.
    reply = widget.receive({"type": "find", "id": "1", "examples": [str(kept.input_hash)]})
    refresh = [one for one in sent if one["type"] == "refresh"][-1]
    page.accept(kept, GOLD[kept.text], 1.0)
    page.reload()
    later = []
    for _ in range(9):
        later += label(page, 1)
        widget.learning.wait(SECONDS)
    yield {
        "session": session,
        "widget": widget,
        "sent": sent,
        "store": store,
        "before": before,
        "first": first,
        "kept": kept,
        "reply": reply,
        "refresh": refresh,
        "later": later,
    }
    session.close()


def test_before_five_accepted_answers_nothing_is_learnt(learnt):
    state, text = learnt["before"]
    assert state == "waiting"
    assert text == "Learning begins after 5 accepted answers (4 so far)."
    assert all(one.spans == () for one in learnt["first"])


def test_suggestions_name_the_model_that_made_them(learnt):
    session, widget = learnt["session"], learnt["widget"]
    models = widget.learning.frame
    assert models.answers.tolist() == [5, 10, 15]
    clock = time.strftime("%H:%M", time.localtime(models.created[0].timestamp()))
    assert models.source[0] == f"model of {clock}, 5 answers"
    assert models.in_use.tolist() == [False, False, True]
    assert widget.learning.status.text == f"Suggestions by the {models.source[2]}."
    window = widget._take_snapshot()["window"]
    suggested = [task for task in window if task["spans"]]
    assert {task["by"] for task in suggested} == {models.source[2]}
    by_source = [one.extra.get("suggested_by") for one in stored(session)]
    assert by_source[:6] == [None] * 6
    assert set(by_source[6:]) - {None} <= set(models.source)


def test_an_example_that_was_shown_keeps_its_suggestions(learnt):
    (task,) = learnt["reply"]["tasks"]
    assert task["spans"] == []
    refresh = learnt["refresh"]
    assert refresh["keep"] is True
    by_id = {one["id"]: one for one in refresh["window"]}
    assert by_id[str(learnt["kept"].input_hash)]["spans"] == []
    others = [one for key, one in by_id.items() if key != str(learnt["kept"].input_hash)]
    assert any(one["spans"] for one in others)


def test_an_answer_keeps_what_was_shown_before_it(learnt):
    answers = stored(learnt["session"])
    assert ["suggestions" in one.extra for one in answers] == [False] * 6 + [True] * 9
    shown = {one.input_hash: one for one in learnt["later"]}
    for answer in answers[6:]:
        (kept,) = answer.extra["suggestions"]
        assert kept["group"] == "learned model"
        assert kept["shown"] is True
        spans = [[one.start, one.end, one.label] for one in shown[answer.input_hash].spans]
        assert kept["spans"] == spans


def test_the_widget_and_progress_have_the_same_figures(learnt):
    session, widget = learnt["session"], learnt["widget"]
    (figures,) = session.quality.progress().suggestions.sources
    # Counted by hand.
    pairs = [(set(one.spans), set(GOLD[one.text])) for one in learnt["later"]]
    correct = sum(len(said & gold) for said, gold in pairs)
    assert figures.correct == correct > 0
    assert figures.suggested == sum(len(said) for said, _ in pairs)
    assert figures.missed == sum(len(gold) for _, gold in pairs) - correct
    assert figures.answers == 9
    assert widget.learning.quality.sources == (figures,)
    line = [one for one in learnt["sent"] if one["type"] == "learning"][-1]
    said = f"{figures.precision.value:.2f} ({figures.precision.low:.2f}"
    assert line["figures"].startswith(f"Last 9 answers: precision {said}")
    assert f"precision {said}" in session.quality.progress().summary
    assert session.quality.progress(last=3).suggestions.sources[0].answers == 3


def test_what_the_widget_suggests_is_what_the_model_gives_at_run_time(learnt):
    session, widget = learnt["session"], learnt["widget"]
    path = widget.learning.frame.path.iloc[-1]
    window = widget._example_queue.next_batch(12)
    texts = [one.text for one in window]
    expected = [set(one.spans) for one in window]
    assert any(expected)
    assert predicted(session, texts) == expected
    docs = load_base(path).pipe(texts)
    found = [{Span(e.start_char, e.end_char, e.label_) for e in doc.ents} for doc in docs]
    assert found == expected


def test_an_edit_is_redecoded_by_the_model_whose_suggestions_are_shown(learnt):
    session, widget = learnt["session"], learnt["widget"]
    newest, models = session.nlp, widget.learning.frame
    shown = HeadlessClient(widget).next_example()
    ask = {"type": "analyses", "example": str(shown.input_hash), "want": 1, "id": "1"}
    ask |= {"forced": [], "forbidden": []}
    session.context.activate(load_base(models.path.iloc[-2]), refresh=False)
    try:
        (best,) = widget.receive(ask)["analyses"]
        assert {details["source"] for *_, details in best["spans"]} == {models.source.iloc[-1]}
        widget.learning.forget_shown()
        widget._example_queue.load([shown.input_hash])
        (best,) = widget.receive(ask)["analyses"]
        assert {details["source"] for *_, details in best["spans"]} == {models.source.iloc[-2]}
    finally:
        session.context.activate(newest, refresh=False)
        widget.learning.forget_shown()


def test_the_order_follows_the_newest_model(learnt):
    session, widget = learnt["session"], learnt["widget"]
    dataset = widget._example_queue._dataset
    begun = dataset._ranking
    window = widget._example_queue.next_batch(12)
    assert dataset._ranking[0] == session.model.runs.fingerprint.iloc[-1]
    assert begun == dataset._ranking, "nobody who labels waits for the ranking"
    assert [one.input_hash for one in window] == [
        one for one in dataset._ranking[1] if one in {two.input_hash for two in window}
    ]
    assert dataset._ranking[1] != sorted(dataset._ranking[1])


def test_the_last_model_is_the_one_in_use_in_the_next_session(learnt):
    session, widget = learnt["session"], learnt["widget"]
    runs = session.model.runs
    assert runs.in_use.tolist() == [False, False, True]
    # Older models are removed from disk.
    assert runs.exists.tolist() == [False, True, True]
    source = widget.learning.newest
    with Session("d", store=learnt["store"], annotator="bob") as later:
        assert predicted(later, [CORPUS[-1].text]) == predicted(session, [CORPUS[-1].text])
        other = later.make_gold(learn=True)
        other.learning.wait(SECONDS)
        # It has learnt from just these answers: nothing is trained again.
        assert other.learning.state == "waiting"
        assert other.learning.status.text.startswith(f"Suggestions by the {source}.")
        other.close()


def test_the_simulated_annotator_runs_the_loop():
    with Session("d", labels=LABELS, store=":memory:") as session:
        session.add(CORPUS[:20])
        session.add(CORPUS[20:30], split="dev")
        result = simulate(
            session, conditions=[("learn", "random")], batch=10, rounds=2, progress=False
        )
    points = result.frame
    assert points.condition.tolist() == ["learn, random"] * 2
    assert points.examples.tolist() == [10, 20]
    by_hand = 1 + 2 * len(LABELS)  # actions for a sentence
    assert points.actions[0] < 10 * by_hand
    # From the second ten on, a model suggests all the time.
    assert points.actions[1] - points.actions[0] < 5 * by_hand
    assert points.f[1] > 0.8


# What goes wrong.


def test_a_label_is_renamed_while_it_learns_and_afterwards(monkeypatch, tmp_path):
    use_learner(monkeypatch, "learn_once_allowed")
    monkeypatch.setenv("NBNER_TEST_ALLOW", str(tmp_path / "go"))
    with opened(tmp_path / "nbner.db") as session:
        widget = session.make_gold(learn=True)
        page, running = HeadlessClient(widget), widget.learning
        label(page, 5)
        wait_for(lambda: running.state == "training")
        session.labels.rename("Action", "Act")
        (tmp_path / "go").touch()
        running.wait(SECONDS)
        assert set(labels_of(session.nlp)) == {"Act", "Amount", "Reagent"}
        # Under another name it is the learner's model still: the next one takes its place.
        session.labels.rename("Act", "Deed")
        assert "by the model of" in running.status.text
        assert running.frame["in_use"].tolist() == [True]
        label(page, 5)
        running.wait(SECONDS)
        assert running.frame["in_use"].tolist() == [False, True]
        assert "10 answers" in running.status.text
        assert "is measured beside it" not in running.status.text
        assert set(labels_of(session.nlp)) == {"Deed", "Amount", "Reagent"}
    with Session("d", store=tmp_path / "nbner.db", annotator="ann") as again:
        assert set(labels_of(again.nlp)) == {"Deed", "Amount", "Reagent"}
        text = again.make_gold(learn=True).learning.status.text
        assert "by the model of" in text
        assert "trained model" not in text


def test_a_learner_that_fails_or_is_killed_is_tried_again(monkeypatch, tmp_path):
    use_learner(monkeypatch, "fail")
    monkeypatch.setenv("NBNER_TEST_ALLOW", str(tmp_path / "go"))
    with opened() as session:
        widget = session.make_gold(learn=True, every=2)
        running = widget.learning
        page = HeadlessClient(widget)
        label(page, 5)
        running.wait(SECONDS)
        assert running.state == "failed"
        assert "RuntimeError: no memory for the weights" in running.status.text
        assert "Labelling goes on; it is tried again after 2 more answers." in running.status.text
        label(page, 1)
        running.wait(SECONDS)
        assert running.state == "failed"

        # Killed in mid-run: labelling has not waited for it, and goes on.
        running._process._learner = "stub_learners:learn_once_allowed"
        label(page, 1)
        pid = wait_for(lambda: running.state == "training" and running._process.pid)
        begun = time.perf_counter()
        label(page, 1)
        assert time.perf_counter() - begun < 5, "the training does not end before it is allowed"
        assert running.state == "training"
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: "has died" in running.status.text)
        assert running.state == "failed"

        (tmp_path / "go").touch()
        label(page, 2)
        running.wait(SECONDS)
        assert running.state == "ready"
        assert running.frame.answers.tolist() == [10]
        assert session.counts("train").accept == 10

        # A stop in mid-run loses the training alone.
        (tmp_path / "go").unlink()
        label(page, 2)
        pid = wait_for(lambda: running.state == "training" and running._process.pid)
        widget.receive({"type": "learning", "id": "1", "do": "stop"})
        assert running.state == "stopped"
        assert has_ended(pid)
        label(page, 3)
        running.wait(SECONDS)
        assert running.state == "stopped"
        assert running.status.text == f"Learning is stopped. Suggestions by the {running.newest}."
        (tmp_path / "go").touch()
        reply = widget.receive({"type": "learning", "id": "2", "do": "start"})
        assert reply["type"] == "learning"
        pid = wait_for(lambda: running._process.pid)
        running.wait(SECONDS)
        assert running.frame.answers.tolist() == [10, 15]
        widget.close()
        assert has_ended(pid)
        with pytest.raises(ModelError, match="closed with its widget"):
            running.start()


def wait_for(condition):
    end = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return found


def has_ended(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


# Beside a trained model.


@pytest.mark.usefixtures("quick")
def test_a_pretrained_model_suggests_until_the_user_changes_over(trained_path):
    with opened(model=trained_path) as session:
        base = session.nlp
        widget = session.make_gold(learn=True)
        running, page = widget.learning, HeadlessClient(widget)
        label(page, 5)
        running.wait(SECONDS)
        page.reload()
        label(page, 2)
        running.wait(SECONDS)
        assert session.nlp is base
        assert "Suggestions by the trained model in use" in running.status.text
        assert f"the {running.newest}, is measured beside it" in running.status.text
        offered = stored(session)[-1].extra["suggestions"]
        assert [(one["group"], one["shown"]) for one in offered] == [
            (f"model {session.context.model_name(base)}", True),
            ("learned model", False),
        ]
        both = {one.source: one for one in running.quality.sources}
        assert both["learned model"].answers == 2
        assert session.model.runs.empty, "a model that does not suggest is no model in use"

        running.use("learned")
        assert session.nlp is not base
        assert running.status.text == f"Suggestions by the {running.newest}."
        page.reload()
        shown = label(page, 1)[0]
        assert {one["shown"] for one in stored(session)[-1].extra["suggestions"]} == {True, False}
        assert [set(shown.spans)] == predicted(session, [shown.text])
        running.run("switch")
        running.wait(SECONDS)
        assert session.nlp is base
        with pytest.raises(DataError, match='"learned" or "before"'):
            running.use("best")


@pytest.mark.usefixtures("quick")
def test_the_line_names_the_model_that_a_training_has_put_in_use(trained_path):
    with opened() as session:
        widget = session.make_gold(learn=True)
        label(HeadlessClient(widget), 5)
        widget.learning.wait(SECONDS)
        sent = heard(widget)
        session.context.activate(load_base(str(trained_path)))
        line = [one for one in sent if one["type"] == "learning"][-1]
        assert line["text"].startswith("Suggestions by the trained model in use")


# What cannot be learnt from.


def test_all_rejected_one_sentence_and_no_text():
    with opened(texts=[one.text for one in CORPUS[:6]]) as session:
        widget = session.make_gold(learn=True)
        for example in session.examples("train"):
            widget.answer("reject", example=example)
        widget.learning.wait(SECONDS)
        text = widget.learning.status.text
        assert text == (
            "6 answers, 0 of them accepted: the model learns from accepted ones, and begins with 5."
        )
        widget.close()
    for texts in ([], ["Add 5 ml of water ."]):
        with opened(texts=texts) as session:
            widget = session.make_gold(learn=True)
            page = HeadlessClient(widget)
            if texts:
                page.accept(page.next_example(), [], 1.0)
            assert page.next_example() is None
            widget.learning.wait(SECONDS)
            assert widget.learning.state == "waiting"
            assert f"({len(texts)} so far)" in widget.learning.status.text


def test_accepted_answers_without_an_entity():
    with opened() as session:
        widget = session.make_gold(learn=True)
        for example in session.examples("train")[:5]:
            widget.answer("accept", [], example=example)
        widget.learning.wait(SECONDS)
        assert "5 answers accepted, none with an entity" in widget.learning.status.text
        # Answers of code are no test of what was suggested.
        assert all("suggestions" not in one.extra for one in stored(session))


def test_options_that_contradict_each_other():
    with opened() as session:
        for options, said in (
            ({"every": 0}, "Use 1 or more"),
            ({"every": True}, "takes a whole number"),
            ({"withhold": 0.1}, "audit"),
            ({"suggest": [lambda examples: [[] for _ in examples]]}, "leave out"),
        ):
            with pytest.raises(DataError, match=said):
                session.make_gold(learn=True, **options)
        session.add(["Add water."], split="dev")
        with pytest.raises(DataError, match="measured on"):
            session.make_gold("dev", learn=True)
        assert session.context.end_learning is None


@pytest.mark.usefixtures("quick")
def test_two_annotators_learn_on_one_store(tmp_path):
    store = tmp_path / "nbner.db"
    with opened(store) as one, Session("d", store=store, annotator="bob") as other:
        widgets = [session.make_gold(learn=True, every=100) for session in (one, other)]
        pages = [HeadlessClient(widget) for widget in widgets]
        for page in pages:
            label(page, 4)
        for widget in widgets:
            widget.learning.wait(SECONDS)
            widget.learning.start()
            widget.learning.wait(SECONDS)
        # Each learns from the answers of both.
        assert all(widget.learning.frame.answers.iloc[-1] == 8 for widget in widgets)
        assert one.counts("train").accept == 8
        paths = [one for widget in widgets for one in widget.learning.frame.path]
        assert len(set(paths)) == len(paths)
        assert len(one.model.runs) == len(paths)


def test_a_newer_widget_of_the_session_goes_on_with_learning():
    with opened() as session:
        first = session.make_gold(learn=True)
        sent = heard(first)
        second = session.make_gold(learn=True)
        assert first.learning.state == "closed"
        assert "it goes on where the widget was opened last" in sent[-1]["text"]
        assert second.learning.state == "waiting"
    assert second.learning.state == "closed", "closing the session ends it"


def test_functions_are_measured_beside_the_model_and_not_before_they_answer():
    def gazetteer(examples):
        return [[(0, one.text.index(" "), "Action")] for one in examples]

    with opened() as session:
        widget = session.make_gold(suggest=gazetteer, learn=True)
        page = HeadlessClient(widget)
        label(page, 3)
        widget.learning.wait(SECONDS)
        (one,) = widget.learning.quality.sources
        assert (one.source, one.answers, one.precision.value) == ("gazetteer", 3, 1.0)
        assert widget.learning.status.figures.startswith("Last 3 answers: precision 1.00")
