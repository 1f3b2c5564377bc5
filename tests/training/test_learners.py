"""Learners: held-out part and all labels, the CRF, distillation, and the choice between them."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from math import isnan
from pathlib import Path

import pytest
import spacy

from nbner.decoding.api import span_probabilities
from nbner.decoding.decision import without_gold
from nbner.decoding.decision.component import without_decision
from nbner.decoding.decision.span_sets import best_span_set, fixed_point_threshold
from nbner.decoding.decision.without_gold import decision_without_gold, fit_for_corrections
from nbner.errors import TrainingError
from nbner.evaluation.comparison import compare_systems
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import load_base
from nbner.nlp.prediction import predict
from nbner.session.summary import describe_model
from nbner.training import candidates, crf_run, distillation, learner, learner_run, loop
from nbner.training.candidates import CandidateScore, choose_learner
from nbner.training.learners import train
from nbner.training.report import TrainingReport
from nbner.types import Example, Span

LABELS = ("Action", "Amount", "Reagent")
ROOT = Path(__file__).parents[2]
POINT = "nbner.entity_swap.v1 = nbner.nlp.entity_swap:create_entity_swap"
NER = {"max_steps": 8, "eval_frequency": 4}


@pytest.fixture
def small(corpus):
    """Twenty different examples with gold."""
    return list({one.text: one for one in corpus}.values())[:20]


@pytest.fixture
def pool(corpus):
    """Texts without gold."""
    texts = list(dict.fromkeys(one.text for one in corpus))[20:]
    return [Example(text) for text in texts]


@pytest.fixture
def start(small, pool, tmp_path):
    """Prepare a run in a folder of its own."""

    def prepare(*, examples=small, dev=(), name="run", **options):
        options = {"pool": pool, "labels": LABELS, "output": tmp_path / name, **options}
        return train("blank:en", examples, dev, **options)

    return prepare


def result_of(run):
    with run:
        for _ in run:
            pass
        return run.finish()


def take(monkeypatch, name):
    """Make a run take one learner, whatever it scores."""
    whole = learner_run.choose_learner
    monkeypatch.setattr(
        learner_run,
        "choose_learner",
        lambda *args, **options: replace(whole(*args, **options), learner=name),
    )


def spacy_train(result, output, folder):
    """Run the saved config with spaCy's own command, with the entry points of an installation."""
    info = folder / "nbner_points-0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: nbner-points\nVersion: 0\n")
    (info / "entry_points.txt").write_text(f"[spacy_augmenters]\n{POINT}\n")
    paths = os.pathsep.join([str(folder), str(ROOT)])
    command = [sys.executable, "-m", "spacy", "train", result.path.parent / "config.cfg"]
    environment = {**os.environ, "PYTHONPATH": paths}
    subprocess.run([*command, "--output", output], check=True, capture_output=True, env=environment)
    return [fingerprint(spacy.load(output / name)) for name in ("model-best", "model-last")]


# The held-out part, and all labels.


def test_the_held_out_part_gives_the_step_and_all_labels_the_model(start, tmp_path):
    result = result_of(start(augment="swap", **NER))
    folder = tmp_path / "run"
    assert result.path == folder / "all-labels" / "model-best"
    assert sorted(one.name for one in folder.iterdir()) == ["all-labels", "held-out", "note.txt"]
    held = json.loads((folder / "held-out" / "record.json").read_text(encoding="utf-8"))
    assert (result.n_train, result.n_dev) == (16, 4)
    assert held["best"]["f"] == result.best.f == result.record["best"]["f"]
    assert not (folder / "held-out" / "model-best").exists()
    steps = result.record["refit"]["steps"]
    assert steps == max(2, result.best.step + 1)
    assert result.record["refit"]["train"] == 20
    report = TrainingReport.from_result(result)
    assert report.refit_steps == steps
    assert f"trained on all 20 labelled examples for {steps:,} steps" in str(report)
    assert f"for {steps:,} steps" in report._repr_html_()
    assert f"for {steps:,} steps" in (folder / "note.txt").read_text(encoding="utf-8")
    # Both models of spaCy's command are this one, so it does not matter which a user takes.
    assert spacy_train(result, tmp_path / "cli", tmp_path / "site") == [result.fingerprint] * 2


def test_dev_gold_leaves_nothing_to_hold_out(start, dev, tmp_path):
    result = result_of(start(dev=dev, max_steps=2))
    assert result.path == tmp_path / "run" / "model-best"
    assert "refit" not in result.record
    assert TrainingReport.from_result(result).refit_steps is None


def test_without_refit_the_model_has_not_seen_the_held_out_part(start, small):
    result = result_of(start(refit=False, max_steps=2, seed=3))
    assert "refit" not in result.record
    gold = spacy.tokens.DocBin().from_disk(result.path.parent / "train.spacy")
    texts = {doc.text for doc in gold.get_docs(spacy.blank("en").vocab)}
    assert len(texts) == 16
    assert texts < {one.text for one in small}


def test_stopped_on_all_labels_the_first_model_stays(start, tmp_path):
    run = start(**NER)
    with run:
        for _ in run:
            if run.stage.name == "ner on all labels":
                break
        result = run.finish()
    assert result.path == tmp_path / "run" / "held-out" / "model-best"
    assert result.stopped == "by hand"
    assert not (tmp_path / "run" / "all-labels").exists()
    assert fingerprint(load_base(result.path)) == result.fingerprint
    report = str(TrainingReport.from_result(result))
    assert "has not learnt from the 4 held-out examples" in report
    assert "stopped by hand" in report


def test_a_failure_on_all_labels_leaves_the_first_model(start, monkeypatch):
    whole = loop.train

    def fail(*args, **options):
        if options.get("fixed_steps"):
            raise MemoryError
        return whole(*args, **options)

    monkeypatch.setattr(loop, "train", fail)
    result = result_of(start(**NER))
    assert result.path.parent.name == "held-out"
    assert "(MemoryError)" in str(TrainingReport.from_result(result))


def test_stopped_before_the_first_evaluation_nothing_remains(start, tmp_path):
    with (
        start(learner="auto", **NER) as run,
        pytest.raises(TrainingError, match="before its first evaluation"),
    ):
        run.finish()
    assert list(tmp_path.iterdir()) == []


# The CRF.


def test_the_crf_learns_from_all_labels_after_it_was_measured(start, small, tmp_path):
    result = result_of(start(learner="crf"))
    assert result.nlp.pipe_names == ["nbner_crf", "nbner_expected_f"]
    assert result.path == tmp_path / "run" / "all-labels" / "model-best"
    assert result.record["learner"] == "crf"
    assert (result.n_train, result.n_dev, result.stopped) == (16, 4, "converged")
    assert not (result.path.parent / "config.cfg").exists()
    report = TrainingReport.from_result(result)
    assert "trained on all 20 labelled examples. " in str(report)
    assert report.frame["f"].tolist() == [result.best.f]
    # Two copies of each, less those that equal their sentence.
    assert 40 < crf_run.training_counts(result.nlp).examples <= 60


def test_behind_a_widget_it_learns_from_copies_too(small, monkeypatch):
    base = load_base("blank:en")

    def learnt():
        nlp = learner.learn_crf(base, small, labels=LABELS)
        return crf_run.training_counts(nlp).examples

    # Less those that equal their sentence.
    assert 80 < learnt() <= 100
    monkeypatch.setattr(learner, "_MAX_TEXTS", 60)
    assert 40 < learnt() <= 60
    monkeypatch.setattr(learner, "_MAX_TEXTS", 20)
    assert 20 < learnt() <= 40


def test_behind_a_widget_it_decides_for_few_corrections(small, pool, tmp_path):
    """Loaded again it says so, and predicts what the exact probabilities say."""
    texts = [one.text for one in pool]
    # Of two sentences it knows too little for most probabilities to be above one half.
    nlp = learner.learn_crf(load_base("blank:en"), small[:2], labels=LABELS, pool_texts=texts)
    nlp.to_disk(tmp_path / "model")
    nlp = spacy.load(tmp_path / "model")
    decision = decision_without_gold(nlp)
    assert 0.2 <= decision.threshold <= 0.3
    assert (decision.temperature, decision.texts, decision.for_corrections) == (1.0, 40, True)
    assert "which takes few corrections" in str(decision)
    assert f"decides for few corrections (theta {decision.threshold:.3f})" in describe_model(nlp)

    def places(found):
        return [[(one.start, one.end, one.label) for one in spans] for spans in found]

    probable = span_probabilities(nlp, pool, min_probability=0.1)
    shown = places(predict(nlp, pool))
    assert shown == places(best_span_set(one.spans, decision.threshold) for one in probable)
    assert shown != places(predict(without_decision(nlp), pool))


@pytest.mark.parametrize("n", [2, 5, 20])
def test_the_threshold_for_few_corrections_is_the_fixed_point_within_limits(
    small, pool, n, monkeypatch
):
    """Of the spans above the lower limit it is found as of all spans."""
    nlp = learner.train_crf(load_base("blank:en"), small[:n], labels=LABELS, max_iterations=5)
    found = span_probabilities(nlp, pool, max_span_length=None, min_probability=1e-6)
    fixed = fixed_point_threshold([one.spans for one in found])
    assert 0.05 < fixed < 0.5
    for limits in ((fixed - 0.02, fixed + 0.02), (0.01, fixed - 0.01), (fixed + 0.01, 0.6)):
        monkeypatch.setattr(without_gold, "CORRECTION_THRESHOLDS", limits)
        chosen = fit_for_corrections(nlp, pool)
        assert chosen.threshold == pytest.approx(sorted((*limits, fixed))[1], abs=1e-4)
        assert (chosen.texts, chosen.temperature) == (len(pool), 1.0)
        few = fit_for_corrections(nlp, pool[:19])
        assert (few.threshold, few.texts) == (sum(limits) / 2, 0)


def test_a_model_that_shares_its_tokenizer_is_the_same_model(small, pool):
    base = load_base("blank:en")
    before = fingerprint(base)
    texts = [one.text for one in pool]
    one, other = (
        learner.train_crf(base, small, labels=LABELS, pool_texts=texts, shares_tokenizer=shares)
        for shares in (True, False)
    )
    assert (one.tokenizer is base.tokenizer, other.tokenizer is base.tokenizer) == (True, False)
    assert fingerprint(one) == fingerprint(other)
    assert one.config == other.config
    assert {**one.meta} == {**other.meta}
    # What it started from is as it was.
    assert (fingerprint(base), base.pipe_names) == (before, ["ner"])


# The choice.


def gold_and_predictions(n, right):
    """Make texts with one gold span, and for each learner the texts that it has right."""
    gold = [Example("Add it", spans=(Span(0, 3, "Action"),), answer="accept")] * n
    wrong = (Span(4, 6, "Action"),)
    found = {
        name: [gold[0].spans if i < k else wrong for i in range(n)] for name, k in right.items()
    }
    return gold, found


@pytest.mark.parametrize(
    ("n", "right", "taken", "words"),
    [
        (
            120,
            {"crf": 100, "distilled": 40, "ner": 40},
            "crf",
            "the CRF; in F, ner differs by -0.5",
        ),
        # The interval holds 0, and the loss that the CRF spares is not small.
        (120, {"crf": 84, "distilled": 81, "ner": 40}, "crf", "distilled ner differs by -0.025"),
        # No bootstrap draw of a few spans holds one that none has found.
        (8, {"crf": 5, "distilled": 3, "ner": 4}, "crf", "the 8 spans of the 8 examples are too"),
        (99, {"crf": 0, "distilled": 0, "ner": 7}, "crf", "100 would be enough"),
        (100, {"crf": 0, "distilled": 0, "ner": 7}, "ner", "the CRF differs by -0.07"),
        # An ordinary `ner` that is hardly worse goes first, and one that is no worse does.
        (600, {"crf": 541, "distilled": 539, "ner": 20}, "distilled", "goes first where it costs"),
        (120, {"crf": 60, "distilled": 61, "ner": 20}, "distilled", "the CRF differs by -0.008"),
        (120, {"crf": 40, "distilled": 40, "ner": 40}, "ner", "120 examples are too few"),
        (9, {"crf": 5}, "crf", "the only one"),
        (9, {"distilled": 5, "ner": 4}, "distilled", "too few to tell"),
    ],
)
def test_an_ordinary_ner_is_taken_only_where_that_costs_little(n, right, taken, words):
    gold, found = gold_and_predictions(n, right)
    choice = choose_learner(gold, found, seed=0)
    assert choice.learner == taken
    assert words in choice.reason
    assert choice.reason.count(". ") <= 1
    assert choice.f["crf" if "crf" in right else "ner"].value == pytest.approx(
        right.get("crf", right.get("ner")) / n
    )


def test_a_ner_that_is_ahead_by_chance_is_not_taken():
    """It finds 60 entities, and the CRF 59 others."""
    gold, found = gold_and_predictions(120, {"crf": 60, "ner": 60})
    (wrong,) = {spans for spans in found["ner"] if spans != gold[0].spans}
    found["crf"] = [gold[0].spans if i >= 61 else wrong for i in range(120)]
    choice = choose_learner(gold, found, seed=0)
    assert choice.f["ner"].value > choice.f["crf"].value
    assert choice.learner == "crf"
    assert "ner differs by +0.008" in choice.reason
    assert "in expectation, more than 0.005" in choice.reason


def test_the_expected_loss_decides_and_is_said(monkeypatch):
    gold, found = gold_and_predictions(120, {"crf": 80, "distilled": 78, "ner": 40})
    # Two of 120 differ: a draw holds them about twice, so that 1 / 60 is lost on average.
    (_, crf) = compare_systems(
        [one.spans for one in gold], {"distilled": found["distilled"], "crf": found["crf"]}
    )
    assert crf.expected_gain == pytest.approx(1 / 60, abs=0.002)
    taken = choose_learner(gold, found, seed=0)
    assert taken.learner == "crf"
    assert f"would cost {crf.expected_gain:.3f} in expectation, more than 0.005" in taken.reason
    monkeypatch.setattr(candidates, "MAX_EXPECTED_LOSS", 0.02)
    assert choose_learner(gold, found, seed=0).learner == "distilled"


@pytest.mark.parametrize("ahead", [0.0, 0.01, 0.03, 0.1])
@pytest.mark.parametrize("n", [100, 160])
def test_the_loss_against_the_crf_is_bounded_in_expectation(n, ahead):
    """Over held-out parts drawn at random, the F that is lost to the CRF is .005 at most."""
    lost = []
    for seed in range(40):
        draw = random.Random(seed)
        texts, crf, ner = [], [], []
        for _ in range(n):
            gold = Example("Add it", spans=(Span(0, 3, "Action"),), answer="accept")
            wrong = (Span(4, 6, "Action"),)
            both = draw.random()
            # Each is right in half of the texts, both in a part of these.
            texts.append(gold)
            crf.append(gold.spans if both < 0.5 + ahead else wrong)
            ner.append(gold.spans if 0.15 <= both < 0.65 else wrong)
        taken = choose_learner(texts, {"crf": crf, "ner": ner}, seed=seed).learner
        lost.append(ahead if taken == "ner" else 0.0)
    # Three standard errors of the mean of 40 draws.
    assert sum(lost) / len(lost) <= 0.005 + 3 * ahead * 0.5 / 40**0.5


def test_examples_that_were_learnt_from_decide_nothing():
    gold, found = gold_and_predictions(60, {"crf": 60, "distilled": 60, "ner": 1})
    choice = choose_learner(gold, found, is_unseen=False, seed=0)
    assert choice.learner == "ner"
    assert "none is left to compare" in choice.reason


def test_a_candidate_survives_json():
    one = CandidateScore("ner", 0.5, note="it failed")
    again = CandidateScore.from_json(json.loads(json.dumps(one.to_json())))
    assert isnan(again.f_low)
    assert (again.f, again.note) == (0.5, "it failed")


# All learners.


def test_the_distilled_ner_is_an_ordinary_one_and_spacy_train_finds_it(
    start, monkeypatch, pool, tmp_path
):
    take(monkeypatch, "distilled")
    teachers = []
    whole = distillation.silver_examples
    monkeypatch.setattr(
        learner_run,
        "silver_examples",
        lambda teacher, *rest: teachers.append(teacher) or whole(teacher, *rest),
    )
    finish = learner_run.LearnerRun._end

    def first_is_best(self, name, run):
        finish(self, name, run)
        one = self._finished[name]
        early = replace(one.result, best=one.result.evaluations[0])
        self._finished[name] = replace(one, result=early)

    monkeypatch.setattr(learner_run.LearnerRun, "_end", first_is_best)
    stages = []
    run = start(learner="auto", augment="none", **NER)
    with run:
        for _ in run:
            stages += [run.stage.name] if run.stage.name not in stages else []
        result = run.finish()
    assert stages == [
        "the CRF", "the distilled ner", "ner", "the distilled ner on all labels"]  # fmt: skip
    assert result.nlp.pipe_names == ["ner"]
    assert result.path == tmp_path / "run" / "all-labels" / "model-best"
    assert not (tmp_path / "run" / "crf").exists()
    assert (result.n_train, result.n_dev) == (16, 4)
    assert result.record["data"]["silver"] == len(pool)
    # Not for as many as were best on four held-out examples: to the end of its run.
    assert result.best.step == 0
    assert result.record["refit"]["steps"] == result.steps == 9
    binned = spacy.tokens.DocBin().from_disk(result.path.parent / "train.spacy")
    assert len(binned) == 2 * 20 + len(pool)
    # The one that labels for the held-out run has not learnt from the held-out part.
    counts = [crf_run.training_counts(one).examples for one in teachers]
    assert counts == [16, 20]
    report = TrainingReport.from_result(result)
    assert report.learner == "distilled"
    assert report.candidates["learner"].tolist() == ["crf", "distilled", "ner"]
    assert report.candidates["f"].notna().all()
    assert (report.candidates["f_low"] <= report.candidates["f_high"]).all()
    assert "Taken: " in str(report)
    assert "<td>distilled</td>" in report._repr_html_()
    assert spacy_train(result, tmp_path / "cli", tmp_path / "site")[0] == result.fingerprint


def test_a_learner_that_fails_leaves_the_others(start, dev, monkeypatch):
    def fail(*_args, **_options):
        raise RuntimeError("the library\nhas crashed")

    monkeypatch.setattr(crf_run, "train_crf", fail)
    result = result_of(start(learner="auto", dev=dev[:5], max_steps=3))
    assert result.record["learner"] == "ner"
    report = TrainingReport.from_result(result)
    assert report.candidates["note"].tolist()[0] == "the library has crashed"
    assert "crf: not trained; the library has crashed" in str(report)
    assert "distilled: not trained; there is no CRF to learn from" in str(report)
    assert "the only one that could be trained" in str(report)


def test_if_all_fail_it_says_why_and_nothing_remains(start, dev, monkeypatch, tmp_path):
    def fail(*_args, **_options):
        raise RuntimeError("crashed")

    monkeypatch.setattr(crf_run, "train_crf", fail)
    monkeypatch.setattr(loop, "train", fail)
    run = start(learner="auto", dev=dev[:5])
    with run, pytest.raises(TrainingError, match=r"the CRF: crashed.*ner: crashed"):
        for _ in run:
            pass
    assert list(tmp_path.iterdir()) == []


def test_stopped_in_the_middle_the_best_so_far_is_kept(start, tmp_path):
    run = start(learner="auto", **NER)
    with run:
        for _ in run:
            if run.stage.name == "the distilled ner":
                break
        result = run.finish()
    notes = TrainingReport.from_result(result).candidates.set_index("learner")["note"]
    assert "stopped by hand" in notes["ner"]
    assert notes["crf"] == notes["distilled"] == ""
    assert result.stopped == "by hand"
    assert result.path == tmp_path / "run" / result.record["learner"] / "model-best"
    assert load_base(result.path).pipe_names == result.nlp.pipe_names


def test_one_example_one_label_and_no_pool_are_enough(start, make_example):
    one = make_example([("Eat", None), ("rice", "Food"), ("now", None)], labels=("Food",))
    result = result_of(
        start(examples=[one], labels=("Food",), learner="auto", pool=(), max_steps=2)
    )
    assert result.record["learner"] == "ner"
    assert "none is left to compare" in result.record["choice"]
    notes = TrainingReport.from_result(result).candidates.set_index("learner")["note"]
    assert "session.add([...])" in notes["distilled"]
    assert notes["crf"] == notes["ner"] == ""


@pytest.mark.parametrize("learner", ["auto", "crf", "ner"])
@pytest.mark.parametrize("answer", ["reject", "ignore", None])
def test_nothing_accepted_is_an_error(start, make_example, learner, answer, tmp_path):
    one = make_example([("Add", "Action"), ("it", None)], answer=answer)
    with pytest.raises(TrainingError, match="nothing to train on"):
        start(examples=[one], learner=learner)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("learner", ["auto", "crf"])
def test_a_trained_recognizer_is_not_forgotten_in_silence(trained_path, small, learner, tmp_path):
    with pytest.raises(TrainingError, match=r'learner="ner".*init="scratch"'):
        train(trained_path, small, labels=LABELS, output=tmp_path / "run", learner=learner)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_learner_or_copy_names_those_there_are(start, tmp_path):
    with pytest.raises(TrainingError, match="'auto', 'ner', 'crf'"):
        start(learner="best")
    with pytest.raises(TrainingError, match="'swap'"):
        start(augment="shuffle")
    assert list(tmp_path.iterdir()) == []
