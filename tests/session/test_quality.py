"""Label issues, consistency, audits and simulated annotation, in session and widget."""

from __future__ import annotations

from dataclasses import replace

import pytest

import nbner
from nbner.errors import DataError, ModelError
from nbner.simulation.headless_client import HeadlessClient
from nbner.types import Span


@pytest.fixture(scope="module")
def corpus():
    return nbner.sample()


@pytest.fixture(scope="module")
def gold(corpus):
    """Give gold in which some words are labelled otherwise at one place, and missed at another."""
    texts = [
        "Whisk the eggs with salt.",
        "Crack the eggs into salt.",
        "Boil the eggs in salt.",
        "Peel the eggs first.",
        "Serve the Eggs warm.",
    ]
    labels = ["Ingredient", "Ingredient", "Ingredient", "Tool", None]
    marked = [
        replace(nbner.Example(text, answer="accept"), spans=spans_of(text, label))
        for text, label in zip(texts, labels, strict=True)
    ]
    others = [one for one in corpus.train if "eggs" not in one.text.lower()]
    return [*others[:100], *marked]


def spans_of(text, label):
    at = text.lower().index("eggs")
    spans = [] if label is None else [Span(at, at + 4, label)]
    first = text.index(" ")
    return (Span(0, first, "Action"), *spans)


@pytest.fixture
def session(corpus, gold):
    with nbner.Session("mend", labels=corpus.labels, store=":memory:", annotator="ann") as made:
        made.add(gold)
        made.add(corpus.dev[:30], split="dev")
        yield made


@pytest.fixture(scope="module")
def issues(corpus, gold):
    """Give a session with its label issues; what is answered there stays."""
    with nbner.Session("issues", labels=corpus.labels, store=":memory:", annotator="ann") as made:
        made.add(gold)
        made.add(corpus.dev[:30], split="dev")
        yield made, made.quality.label_issues(folds=2, max_epochs=3, progress=False)


def quiet(widget):
    widget.heard = []
    widget.send = lambda content, buffers=None: widget.heard.append(content)
    return widget


def eggs(session):
    """Give what gold says of the eggs, the test's five texts in their order."""
    found = []
    for one in session.examples("train")[-5:]:
        at = one.text.lower().index("eggs")
        found.append(next((s.label for s in one.spans if s.start == at), None))
    return found


def test_issues_come_surest_first_in_the_frame_and_in_the_annotator(issues):
    made, found = issues
    assert (found.n, found.folds, found.split) == (105, 2, "train")
    assert (found.learners, found.n_models, len(found.fold_f)) == (("crf", "ner"), 4, 4)
    frame = found.frame
    last = [one.is_label_doubted and len(one.signals) < 2 for one in found]
    assert last == sorted(last)
    order = [(len(one.signals), one.score) for one, end in zip(found, last, strict=True) if not end]
    assert order == sorted(order, reverse=True)
    assert frame["signals"].tolist() == [", ".join(one.signals) for one in found]
    assert frame["score"].min() > 0
    assert frame["reason"].str.contains("crf").all()
    assert set(found.per_label["label"]) == {
        one.label for e in made.examples("train") for one in e.spans
    }
    assert "4 models (crf, ner) trained on the other folds" in str(found)
    widget = quiet(found[:20].open())
    first = found[0]
    assert widget.current.text == first.example.text
    task = widget.receive({"type": "hello", "id": "1", "protocol": 2})["window"][0]
    doubted = [one for one in task["spans"] if "score" in one[3]]
    assert len(doubted) == sum(
        one.gold is not None for one in found[:20] if one.example == first.example
    )
    assert task["versions"][0]["by"] == "models of the other folds"
    assert (task["draft"], task["answer"]) == (True, None)
    assert "contradicted" in str(found)
    assert found.plot().get_title(loc="left").startswith(f"{found.frame['label'].count():,} of")


def test_settling_an_issue_stores_an_answer_and_goes_on_to_the_next(issues):
    session, found = issues
    widget = quiet(found[:20].open())
    page = HeadlessClient(widget)
    shown = page.next_example()
    before = session.store.history(shown.input_hash)
    version = widget.receive({"type": "hello", "id": "1", "protocol": 2})["window"][0]["versions"][
        0
    ]
    mended = [
        Span(shown.tokens[a].start, shown.tokens[b - 1].end, label)
        for a, b, label in version["spans"]
    ]
    page.accept(shown, mended, 2.0)
    after = next(one for one in session.examples("train") if one.input_hash == shown.input_hash)
    assert (set(after.spans), after.answer, after.annotator) == (set(mended), "accept", "ann")
    assert len(session.store.history(shown.input_hash)) == len(before) + 1
    counts = widget.receive({"type": "fetch", "id": "2", "want": 3, "have": []})["counts"]
    assert (counts["accept"], counts["total"]) == (1, len(found[:20].examples))
    assert page.next_example().text == found[:20].examples[1].text
    assert [one["id"] for one in past(widget)] == [str(shown.input_hash)]
    widget.undo()
    assert past(widget) == []


def past(widget):
    return widget.receive({"type": "past", "id": "3", "want": 5})["tasks"]


def test_the_crf_alone_is_a_fast_option_and_each_seed_has_folds_of_its_own(session):
    found = session.quality.label_issues(folds=2, learners=("crf",), seeds=2, progress=False)
    assert (found.learners, found.n_models, len(found.fold_f)) == (("crf",), 4, 4)
    assert found.fold_f[:2] != found.fold_f[2:]
    # The eggs that are no ingredient are no tool either: four other places say so.
    tool = next(one for one in found if one.gold is not None and one.gold.label == "Tool")
    assert "words" in tool.signals
    assert "“eggs” is Ingredient at 3 of 4 other places" in tool.reason


def test_the_model_in_use_is_asked_where_no_folds_are(cooking, session):
    trained, _ = cooking
    found = trained.quality.label_issues("dev", folds=0)
    assert len(found)
    assert found.fold_f == ()
    with pytest.raises(DataError, match="no learner 'svm'"):
        trained.quality.label_issues("dev", folds=0, learners=("svm",))
    with pytest.raises(ModelError, match="train"):
        session.quality.label_issues("dev", folds=0)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"split": "nowhere"}, "no split 'nowhere'"),
        ({"folds": 1}, "folds"),
        ({"folds": 2000}, "cannot be dealt"),
        ({"learners": ("crf", "svm")}, "no learner 'svm'"),
        ({"learners": ()}, "no learner is named"),
    ],
)
def test_issues_that_cannot_be_had_are_refused_with_the_way_out(session, given, match):
    with pytest.raises(DataError, match=match):
        session.quality.label_issues(progress=False, **given)


def test_nothing_to_open_says_what_to_do(issues):
    none = issues[1].where(lambda _one: False)
    assert (len(none), len(none.frame), none.examples) == (0, 0, [])
    assert none.plot().get_title(loc="left").startswith("0 of")
    with pytest.raises(DataError, match="no label issue"):
        none.open()


def test_where_all_words_are_labelled_alike_it_says_so(corpus):
    with nbner.Session("alike", labels=corpus.labels, store=":memory:") as alike:
        alike.add(corpus.train[:1])
        found = alike.quality.consistency()
    assert str(found) == "All words are labelled alike in 1 example of train"
    assert found.plot().get_title(loc="left") == str(found)
    with pytest.raises(DataError, match="nothing to open"):
        found.open()


def test_what_was_begun_and_not_decided_is_shown_again(issues):
    _, found = issues
    rest = found[20:]
    key = str(rest.examples[0].input_hash)
    draft = {"type": "answer", "id": "d", "example": key, "answer": None, "spans": []}
    assert quiet(rest.open()).receive(draft)["type"] == "saved"
    again = quiet(rest.open()).receive({"type": "hello", "id": "1", "protocol": 2})
    assert (again["window"][0]["id"], again["window"][0]["spans"]) == (key, [])


def test_words_are_mended_in_bulk_with_one_act_and_undone_with_one(session):
    found = session.quality.consistency()
    one = found["eggs"]
    assert dict(one.counts) == {"Ingredient": 3, "Tool": 1, None: 1}
    before = session.answers()
    done = found.relabel("eggs", "Ingredient")
    assert (done.places, done.examples) == (2, 2)
    assert eggs(session) == ["Ingredient"] * 5
    assert session.counts("train").accept == 105
    assert done.undo() == 2
    assert eggs(session) == ["Ingredient"] * 3 + ["Tool", None]
    now = session.answers()
    assert now[["input_hash", "spans", "annotator"]].equals(
        before[["input_hash", "spans", "annotator"]]
    )


def test_labels_are_taken_away_in_bulk_too_and_what_has_changed_since_stays(session):
    found = session.quality.consistency(case_sensitive=True)
    assert dict(found["eggs"].counts) == {"Ingredient": 3, "Tool": 1}
    done = found.relabel("eggs", None)
    assert done.examples == 4
    assert eggs(session) == [None] * 5
    widget = quiet(session.manual())
    widget.answer("accept", [], example=session.examples("train")[-5])
    assert done.undo() == 3
    assert eggs(session)[:2] == [None, "Ingredient"]


def test_the_model_says_where_words_are_likely_to_be_wrong(cooking):
    found = cooking[0].quality.consistency()
    assert found.has_probabilities
    assert found.occurrences["usual_probability"].between(0, 1).all()
    scores = list(found.frame["score"])
    assert scores == sorted(scores, reverse=True)
    least = found.frame["words"].iloc[0]
    with pytest.raises(DataError, match="no such place"):
        found.relabel(least, found[least].usual_label, min_probability=1.0)
    assert "the model in use expects" in str(found)
    assert found.plot().get_yticklabels()[0].get_text() == least


@pytest.mark.parametrize(
    ("act", "match"),
    [
        (lambda one: one.relabel("flour power", "Tool"), "no words"),
        (lambda one: one.relabel("eggs", "Tol"), "not one of the labels"),
        (lambda one: one.relabel("eggs", "Ingredient", min_probability=0.5), "no model"),
    ],
)
def test_acts_that_cannot_be_are_refused_and_nothing_is_changed(session, act, match):
    with pytest.raises(DataError, match=match):
        act(session.quality.consistency())
    assert eggs(session) == ["Ingredient"] * 3 + ["Tool", None]


def test_in_the_widget_every_occurrence_is_mended_by_one_message_and_undone_by_one(session):
    widget = quiet(session.quality.consistency().open("eggs"))
    ask = {"type": "occurrences", "id": "1", "words": ["eggs"], "label": "Ingredient", "want": 99}
    found = widget.receive({**ask, "take": "label", "cased": False})["places"]
    assert [(one["hit"], one["problem"]) for one in found] == [("eggs", ""), ("Eggs", "")]
    places = [[one["example"], one["start"], one["end"]] for one in found]
    bulk = {"type": "bulk", "bulk": "b1", "label": "Ingredient", "take": "label", "places": places}
    reply = widget.receive({**bulk, "id": "2", "have": [one[0] for one in places]})
    assert (reply["type"], reply["count"]) == ("applied", 2)
    assert eggs(session) == ["Ingredient"] * 5
    assert session.counts("train").accept == 105, "what is mended stays gold"
    assert widget.receive({"type": "fetch", "id": "3", "have": []})["tasks"] == []
    assert widget.receive({**bulk, "id": "4", "undo": True})["count"] == 2
    assert eggs(session) == ["Ingredient"] * 3 + ["Tool", None]
    assert len(widget.receive({"type": "fetch", "id": "5", "have": []})["tasks"]) == 2


def test_an_audit_is_kept_in_the_store_and_finds_how_far_an_annotator_follows(cooking, corpus):
    session, store = cooking
    texts = corpus.train[200:280]
    session.add([one.text for one in texts], split="audit")
    annotator = nbner.SimulatedAnnotator(anchoring_rate=0.5)
    widget = session.make_gold(split="audit", withhold=0.2, corrupt=0.2)
    done = nbner.annotate_with(widget, annotator, texts)
    assert len(done) == len(texts)
    assert widget._setup["advises"] is False
    # A session made later, on the same store, evaluates it.
    with nbner.Session("cooking", store=store) as later:
        report = later.quality.anchoring("audit", gold=texts)
        assert later.quality.anchoring("audit", annotator="ann").n == len(texts)
        with pytest.raises(DataError, match="under an audit"):
            later.quality.anchoring("audit", annotator="bob")
        wrong = quiet(report.open())
        counts = wrong.receive({"type": "fetch", "id": "1", "have": []})["counts"]
        assert counts["total"] == report.uncorrected > 0
        task = wrong.receive({"type": "hello", "id": "2", "protocol": 2})["window"][0]
        assert task["versions"][0]["by"] == "the suggestion before the audit"
    for kind in ("corrupted", "withheld"):
        share = getattr(report.overall, kind)
        assert share.n > 15
        assert share.interval[0] < 0.5 < share.interval[1]
    assert report.overall.untouched.value == 1
    assert "corrupted suggestions were left as shown" in str(report)
    assert report.plot().get_xlim() == (0, 1)


def test_an_audit_spoils_the_same_suggestions_each_time(cooking, corpus):
    session, _ = cooking
    session.add([one.text for one in corpus.train[280:300]], split="again")
    shown = [
        [page.next_example().spans for _ in range(12)]
        for page in (HeadlessClient(session.make_gold("again", withhold=0.5)) for _ in range(2))
    ]
    assert shown[0] == shown[1]
    plain = HeadlessClient(session.make_gold("again"))
    assert sum(map(len, shown[0])) < sum(len(plain.next_example().spans) for _ in range(12))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"withhold": 1.5}, r"withhold=1\.5 is out of range\. Use 0 to 1"),
        ({"corrupt": -0.1}, r"corrupt=-0\.1 is out of range\. Use 0 to 1"),
        ({"withhold": 0.7, "corrupt": 0.7}, "Give"),
    ],
)
def test_shares_that_are_none_are_refused(cooking, given, says):
    with pytest.raises(DataError, match=says):
        cooking[0].make_gold("dev", **given)


def test_simulated_ways_start_alike_and_cost_is_counted(session):
    before = session.answers()
    ways = [("manual", "random"), ("make_gold", "uncertainty")]
    annotator = nbner.SimulatedAnnotator(error_rate=0.05)
    result = nbner.simulate(
        session, annotator, conditions=ways, batch=20, rounds=2, max_epochs=1, progress=False
    )
    frame = result.frame.set_index(["condition", "round"])
    assert list(frame.index) == [
        (w, r) for w in ("manual", "make_gold, uncertainty") for r in (1, 2)
    ]
    assert frame.loc["manual"].iloc[0].equals(frame.loc["make_gold, uncertainty"].iloc[0])
    assert (frame["examples"].to_numpy() == [20, 40, 20, 40]).all()
    by_hand = frame.loc[("manual", 2)]
    assert by_hand["actions"] == by_hand["examples"] + 2 * by_hand["spans"]
    assert by_hand["n_wrong"] > 0
    assert session.answers().equals(before), "the session that is given stays as it is"
    assert "Simulated: error rate 0.05" in result.summary
    assert len(result.plot(cost="actions").lines) == 2
    with pytest.raises(DataError, match="no cost"):
        result.plot(cost="euros")


def test_where_a_model_is_there_it_suggests_from_the_first_round_on(cooking, corpus):
    trained, _ = cooking
    path = trained.context.model_store.latest().path
    with nbner.Session("more", labels=corpus.labels, model=path, store=":memory:") as session:
        session.add(corpus.train[200:240])
        session.add(corpus.dev[:20], split="dev")
        ways = [("manual", "random"), ("make_gold", "random")]
        result = nbner.simulate(
            session, conditions=ways, batch=40, rounds=1, max_epochs=1, progress=False
        )
    frame = result.frame.set_index(["condition", "round"])
    assert list(frame.loc["manual"].index) == [0, 1]
    assert frame.loc[("manual", 0), "f"] == frame.loc[("make_gold, random", 0), "f"] > 0
    assert (frame.xs(1, level="round")["examples"] == 40).all()
    assert frame.loc[("make_gold, random", 1), "actions"] < frame.loc[("manual", 1), "actions"]


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"split": "nowhere"}, "no split .nowhere."),
        ({"dev": "nowhere"}, "no split .nowhere."),
        ({"batch": 1000}, "cannot be had"),
        ({"rounds": 0}, "Use 1 or more"),
        ({"conditions": []}, "no way"),
        ({"conditions": ["manual"]}, "no way 'manual'"),
        ({"conditions": [("manual", "uncertainty")]}, "no way"),
        ({"conditions": [("make_gold", "given")]}, "no way"),
        ({"conditions": [("by ear", "random")]}, "no way"),
    ],
)
def test_simulations_that_cannot_be_are_refused(session, given, match):
    with pytest.raises(DataError, match=match):
        nbner.simulate(session, progress=False, **given)
