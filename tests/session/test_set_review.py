"""A review of conformal sets: the page, the list with its bulk act, and what is refused."""

from __future__ import annotations

import random

import pytest

import nbner
from nbner.active_learning.ranked_dataset import HOLDOUT_KEY
from nbner.errors import DataError, ModelError
from nbner.nlp.pipeline import load_base
from nbner.nlp.tokenizer_rules import TokenizerRule
from nbner.simulation.headless_client import HeadlessClient
from nbner.training.loop import train

LABELS = ("Action", "Amount", "Reagent")
VERBS = ("Grind", "Add", "Taste", "Weigh")
THINGS = ("sugar", "agar", "fine gravel", "water")
ODD_SPAN = {"start": 0, "end": 5, "label": "Amount"}
TAILS = ("of Mars", ". Mix .", "at 5 ml", "quickly")


def odd_texts(make_example, size, seed):
    """Make texts that the corpus prepares a model for only in part."""
    draw = random.Random(seed)
    return [
        make_example(
            [
                (draw.choice(VERBS), "Action"),
                ("some", None),
                (draw.choice(THINGS), "Reagent"),
                (draw.choice(TAILS), None),
            ]
        )
        for _ in range(size)
    ]


@pytest.fixture(scope="module")
def model_path(corpus, dev, tmp_path_factory):
    """Folder of a model with short and long sets."""
    output = tmp_path_factory.mktemp("sets") / "run"
    options = {"labels": LABELS, "max_steps": 40, "eval_frequency": 40}
    with train("blank:en", corpus, dev, output=output, **options) as training:
        for _ in training:
            pass
        return training.finish().path


@pytest.fixture
def session(model_path, corpus, dev, make_example):
    """Give a session with held-out gold and 30 open texts, easy and odd ones."""
    opened = nbner.Session(
        "sets", labels=LABELS, model=model_path, store=":memory:", annotator="ann"
    )
    with opened as made:
        made.add([*dev, *odd_texts(make_example, 30, seed=1)], split="dev")
        texts = [*corpus[:15], *odd_texts(make_example, 15, seed=2)]
        made.add([one.text for one in texts])
        yield made


def reviewed(session, **options):
    return session.make_gold(review="set", **{"alpha": 0.2, "holdout": 0.0, **options})


def window(widget, size=100):
    """Return the tasks that a page gets, in their order."""
    return widget.receive({"type": "fetch", "id": "1", "want": size, "have": []})["tasks"]


def kind(task):
    size = task["set"]["size"]
    return "single" if size == 1 else "few" if size <= 9 else "large"


def test_the_page_gets_short_sets_as_versions_in_the_order_of_their_sizes(session):
    widget = reviewed(session)
    tasks = window(widget)
    kinds = [kind(one) for one in tasks]
    assert kinds == sorted(kinds, key=["large", "few", "single"].index)
    assert set(kinds) == {"large", "few", "single"}
    coverage = widget.sets.coverage
    by_text = {str(one.input_hash): one.text for one in session.examples("train")}
    for task in tasks[:: len(tasks) // 6]:
        listed = session.parses(by_text[task["id"]], coverage.width)
        found = coverage.analysis_set(listed, "cumulative")
        assert (task["set"]["size"], task["set"]["complete"]) == (
            len(found.parses),
            found.is_complete,
        )
        assert task["set"]["level"] == pytest.approx(0.8)
        versions = task.get("versions", [])
        if kind(task) == "large":
            assert versions == []
            continue
        assert [one["probability"] for one in versions] == [
            pytest.approx(one.probability) for one in found.parses
        ]
        assert [len(one["spans"]) for one in versions] == [len(one.spans) for one in found.parses]
        assert [one["by"] for one in versions[:2]] == ["analysis 1", "analysis 2"][: len(versions)]
        # The text starts with the first one, so that one key accepts it.
        assert [span[:3] for span in task["spans"]] == versions[0]["spans"]
    last = [kind(one) for one in window(reviewed(session, large_sets="last"))]
    assert last == sorted(kinds, key=["few", "large", "single"].index)


def test_texts_with_one_analysis_are_listed_and_accepted_as_one_act(session):
    widget = reviewed(session)
    sets = widget.sets
    frame = sets.frame
    assert len(frame) == session.counts("train").open
    assert set(frame["set"]) <= {
        *("1 analysis", "2 to 9 analyses", "10 or more analyses", "incomplete list")
    }
    single = frame[frame["set"] == "1 analysis"]
    assert 0 < len(single) == len(sets.single) < len(frame)
    row = next(
        one
        for one in sets.coverage.rows
        if (one.method, one.group, one.value) == (sets.method, "set size", "1 analysis")
    )
    assert sets.single_wrong.value == pytest.approx(1 - row.coverage.value)
    assert sets.single_wrong.low == pytest.approx(1 - row.coverage.high)
    assert sets.expected_wrong.high == pytest.approx(len(single) * (1 - row.coverage.low))
    assert "the 80 % hold over all texts, not over these alone" in sets.summary
    assert f"Of the {len(single)} texts with one analysis" in sets.summary

    done = sets.accept()
    assert done.accepted == len(single) == session.counts("train").accept
    accepted = session.examples("train", answer="accept")
    assert {(one.text, one.spans) for one in accepted} == {
        (one.text, one.spans) for one in sets.single
    }
    assert all(one.accepted_unseen for one in accepted)
    stored = session.context.dataset.answers("train")
    marks = [one.extra["task"]["accepted_unseen"] for one in stored]
    assert {one["alpha"] for one in marks} == {0.2}
    assert kind(window(widget)[-1]) != "single"
    with pytest.raises(DataError, match="no open text has a set of one") as caught:
        reviewed(session).sets.accept()
    assert "a higher risk than alpha=0.2" in caught.value.remedy
    assert done.undo() == len(single)
    assert kind(window(widget)[-1]) == "single"
    shown = sets.open()
    assert shown.queue[0] == sets.single[0].input_hash
    assert shown.sets is None
    assert sets.to_html().count("<table") == 1


def test_another_model_makes_the_sets_out_of_date(session, model_path):
    widget = reviewed(session)
    before = next(one for one in window(widget) if one.get("versions"))
    other = load_base(model_path)
    for node in other.get_pipe("ner").model.walk():
        for name in node.param_names:
            node.set_param(name, 0.9 * node.get_param(name))
    session.context.activate(other)
    after = next(one for one in window(widget) if one["id"] == before["id"])
    assert after["set"] == {"level": 0.8, "size": 0, "complete": False, "current": False}
    assert "versions" not in after
    assert "Out of date: the sets were calibrated for" in widget.sets.summary
    for act in (widget.sets.accept, widget.sets.open):
        with pytest.raises(DataError, match="another model is in use") as caught:
            act()
        assert 'make_gold(review="set")' in caught.value.remedy


def test_under_another_name_of_a_label_the_sets_hold(session):
    widget = reviewed(session)
    before = window(widget)
    session.labels.rename("Reagent", "Material")
    after = window(widget)
    assert [(one["id"], one["set"]) for one in after] == [(o["id"], o["set"]) for o in before]
    assert "Out of date" not in widget.sets.summary

    def labels(tasks):
        versions = [one for task in tasks for one in task.get("versions", ())]
        return {span[2] for one in (*tasks, *versions) for span in one["spans"]}

    assert labels(before) == set(LABELS)
    assert labels(after) == {"Action", "Amount", "Material"}
    accepted = widget.sets.accept()
    answers = [one for one in session.examples("train") if one.answer]
    assert len(answers) == accepted.accepted == len(widget.sets.single)
    assert {span.label for one in answers for span in one.spans} == labels(after)
    accepted.undo()
    # The first name again, and then other tokens.
    session.labels.rename("Material", "Reagent")
    again = window(widget)
    assert [(one["id"], one["set"]) for one in again] == [(o["id"], o["set"]) for o in before]
    assert labels(again) == set(LABELS)
    session.quality.tokenization().apply(TokenizerRule("special case", "sugar", ("su", "gar")))
    assert "Out of date" in widget.sets.summary


def test_texts_kept_aside_are_labelled_as_usual_and_answers_name_the_order(session):
    widget = reviewed(session, holdout=0.4)
    aside = [one for one in window(widget) if "set" not in one]
    assert 0 < len(aside) == widget.sets.kept_aside
    listed = {one.input_hash for one in widget.sets.single}
    assert not listed & {int(one["id"]) for one in aside}
    other = next(one for one in window(widget) if "set" in one)
    for task in (aside[0], other):
        widget.goto(int(task["id"]))
        widget.answer("accept")
    answers = {one.input_hash: one for one in session.context.dataset.answers("train")}
    tasks = [answers[int(one["id"])].extra.get("task", {}) for one in (aside[0], other)]
    assert [HOLDOUT_KEY in one for one in tasks] == [True, False]
    # What a query strategy has chosen calibrates nothing later.
    assert answers[int(other["id"])].extra["order"] == "set size"


def test_a_choice_comes_back_when_its_answer_is_undone(session):
    widget = reviewed(session)
    task = next(one for one in window(widget) if len(one.get("versions", [])) > 1)
    widget.goto(int(task["id"]))
    widget.answer("accept")
    widget.undo()
    (again,) = [one for one in window(widget) if one["id"] == task["id"]]
    assert again["draft"]
    assert again["versions"] == task["versions"]


def test_a_simulated_annotator_chooses_with_the_keys(session, corpus, make_example):
    gold = {one.text: one for one in [*corpus[:15], *odd_texts(make_example, 15, seed=2)]}
    widget = reviewed(session)
    choices = {
        one["id"]: len(one["versions"])
        for one in window(widget)
        if len(one.get("versions", [])) > 1
    }
    assert choices
    assert max(choices.values()) <= 9
    page = HeadlessClient(widget)
    offered = {}
    while (shown := page.next_example()) is not None:
        offered[str(shown.input_hash)] = len(page.choices(shown))
        page.accept(shown, gold[shown.text].spans, 1.0)
    assert {key: n for key, n in offered.items() if n} == choices
    done = session.examples("train", answer="accept")
    assert all(set(one.spans) == set(gold[one.text].spans) for one in done)
    assert len(done) == len(offered)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"alpha": 0.0}, "alpha=0.0 is not between 0 and 1"),
        ({"alpha": 1.0}, "alpha=1.0 is not between 0 and 1"),
        ({"alpha": 0.01}, r"at least \d+ held-out texts with gold"),
        ({"learn": True}, 'learn= does not go with review="set"'),
        ({"strategy": "uncertainty"}, "strategy= does not go with"),
        ({"withhold": 0.1}, "withhold= does not go with"),
        ({"suggest": lambda _: []}, "suggest= does not go with"),
        ({"review": None, "alpha": 0.1}, "alpha= is an option of a review of sets"),
        ({"review": None, "large_sets": "last"}, "large_sets= is an option of a review"),
        ({"review": "sets"}, "review"),
        ({"holdout": 1.0, "alpha": 0.2}, "not a share of random examples"),
    ],
)
def test_what_cannot_be_reviewed_names_the_way_out(session, options, said):
    with pytest.raises(DataError, match=said) as caught:
        session.make_gold(**{"review": "set", **options})
    assert caught.value.remedy


def test_lists_that_do_not_reach_the_level_and_gold_of_other_labels_are_errors(
    session, model_path, make_example
):
    strange = [make_example([(f"Word{i}", "Action"), ("x " * 20, None)]) for i in range(12)]
    session.add(
        [{"text": one.text, "spans": [ODD_SPAN], "answer": "accept"} for one in strange],
        split="dev",
    )
    with pytest.raises(DataError, match=r"no list of 256 analyses reaches 90 %") as caught:
        reviewed(session, alpha=0.1)
    assert "a risk of 0." in caught.value.remedy
    own = nbner.Session("own", labels=("Spell",), model=model_path, store=":memory:")
    with own as other:
        spells = [make_example([(f"Hex {i}", "Spell")], labels=("Spell",)) for i in range(12)]
        other.add(spells, split="dev")
        other.add(["Add water ."])
        with pytest.raises(DataError, match="none of the 12 held-out texts has gold"):
            other.make_gold(review="set", alpha=0.3)


def test_without_a_trained_model_there_are_no_sets():
    with nbner.Session("new", labels=LABELS, store=":memory:") as session:
        session.add(["Add water ."])
        with pytest.raises(ModelError, match="not trained"):
            session.make_gold(review="set")


def test_where_everything_is_answered_nothing_is_listed(session, corpus):
    session.add(corpus[:3], split="done")
    sets = reviewed(session, split="done").sets
    assert len(sets.frame) == 0
    with pytest.raises(DataError, match="no text of 'done' was open"):
        sets.accept()
