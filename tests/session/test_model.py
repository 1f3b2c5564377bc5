"""What a session says of its model's lists and probabilities."""

from __future__ import annotations

import time

import matplotlib as mpl
import numpy as np
import pytest
import spacy

import nbner
from nbner import DataError, ModelError, Session, Span
from nbner.decoding.calibration.apply import temperatures_of
from nbner.decoding.calibration.temperature import scale
from nbner.evaluation.scores import score
from nbner.store import model_runs

mpl.use("Agg")
CORPUS = nbner.sample()
GOLD = CORPUS.dev[:64]  # what the split dev of `cooking` has
WIDTHS = (1, 2, 8)


@pytest.fixture
def session(cooking):
    return cooking[0]


@pytest.fixture(scope="module")
def curve(cooking):
    return cooking[0].oracle_curve(WIDTHS, progress=False)


def predicted_spans(frame, number):
    rows = frame[frame["example"] == number]
    return [
        Span(*row) for row in rows[["start", "end", "label"]].itertuples(index=False, name=None)
    ]


# The oracle curve.


def test_a_curve_has_a_row_a_decoder_and_width(curve):
    assert curve.frame[["decoder", "width"]].to_numpy().tolist() == [
        [decoder, width] for decoder in ("exact", "exact_raw", "beam") for width in WIDTHS
    ]
    assert (curve.frame["n"] == len(GOLD)).all()
    assert curve.source == "dev"
    assert curve.summary in str(curve)
    assert curve.plot().get_title(loc="left").startswith("A perfect reranker over")


def test_a_beam_of_one_is_what_the_model_predicts(curve, session):
    rows = curve.frame[(curve.frame["decoder"] == "beam") & (curve.frame["width"] == 1)]
    f = session.evaluate("dev").f
    assert rows["top1_f"].iloc[0] == rows["oracle_f"].iloc[0] == pytest.approx(f)


def test_search_and_objective_are_told_apart(curve):
    frame = curve.frame.set_index(["decoder", "width"])["oracle_f"]
    rows = curve.decoder_frame.set_index(["difference", "width"])
    pairs = {"objective": ("exact", "exact_raw"), "search": ("exact_raw", "beam")}
    assert set(rows.index) == {(name, width) for name in pairs for width in WIDTHS}
    for (name, width), row in rows.iterrows():
        decoder, against = pairs[name]
        assert (row["decoder"], row["against"]) == (decoder, against)
        assert row["gain"] == pytest.approx(frame[decoder, width] - frame[against, width])
        assert row["gain_low"] <= row["gain"] <= row["gain_high"]
    last = 100 * rows["gain"].xs(WIDTHS[-1], level="width")
    assert f"objective is worth {last['objective']:+.1f} F" in curve.summary
    assert f"search is worth {last['search']:+.1f} F" in curve.summary
    below = curve.plot().get_xlabel()
    assert f"normalized for raw scores {last['objective']:+.1f} F" in below
    assert f"exact search for beam {last['search']:+.1f} F" in below


def test_the_exact_list_is_never_below_the_beam_under_the_same_objective(session):
    texts = CORPUS.dev[:30]
    exact = session.parses(texts, 32, decoder="exact_raw")
    behind = 0
    for width in (1, 2, 8, 32):
        beams = session.parses(texts, width, decoder="beam")
        for ours, theirs in zip(exact, beams, strict=True):
            assert len(ours[:width]) >= len(theirs)
            for one, other in zip(ours, theirs, strict=False):
                # The beam adds scores up in single precision.
                assert one.score >= other.score - 1e-3
                behind += one.score > other.score + 1e-3
    assert behind > 0, "no search error at all: the texts show nothing"


def test_exact_lists_hold_more_the_longer_they_are(curve):
    exact = curve.frame[curve.frame["decoder"] == "exact"]
    for figure in ("oracle_f", "gold_in_list", "mean_gold_rank"):
        assert exact[figure].is_monotonic_increasing, figure
    assert exact["first_is_best"].is_monotonic_decreasing
    assert exact["top1_f"].nunique() == 1
    assert exact["oracle_f"].iloc[-1] > exact["oracle_f"].iloc[0]


def test_labels_on_demand(curve):
    frame = curve.per_label(width=8, decoder="beam")
    assert list(frame["label"]) == list(CORPUS.labels)
    assert frame["support"].sum() == sum(len(one.spans) for one in GOLD)
    assert {"oracle_f_low", "top1_f_high", "gain"} <= set(frame.columns)
    with pytest.raises(DataError, match="no exact at 3") as caught:
        curve.per_label(width=3, decoder="exact")
    assert "exact at 8" in caught.value.remedy


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"widths": (4, 1)}, "do not rise"),
        ({"widths": (0,)}, "widths=0 is out of range"),
        ({"decoders": ("best",)}, "'best' is not a decoder"),
        ({"split": "nowhere"}, "no split 'nowhere'"),
        ({"source": "thin air"}, "takes 'gold' or 'answers', not 'thin air'"),
    ],
)
def test_what_cannot_be_studied_names_the_way_out(session, asked, said):
    with pytest.raises(DataError, match=said) as caught:
        session.oracle_curve(**asked)
    assert caught.value.remedy


def test_without_an_answer_to_a_suggestion_there_is_no_curve_of_answers(cooking):
    model = models_of(cooking[1])[-1]
    with Session("new", store=":memory:", model=model) as session:
        session.add([{"text": "Fold it .", "spans": [], "answer": "accept"}], split="dev")
        with pytest.raises(DataError, match="no accepted answer was given to a sugg") as caught:
            session.oracle_curve(source="answers")
    assert caught.value.remedy


def test_a_model_that_is_not_trained_cannot_be_studied():
    with Session("new", labels=["A"], store=":memory:") as session:
        session.add([{"text": "a b", "spans": [], "answer": "accept"}], split="dev")
        with pytest.raises(ModelError, match="has not been trained"):
            session.oracle_curve((1,), progress=False)
        with pytest.raises(ModelError, match="has not been trained"):
            session.model.calibrate(progress=False)


def test_gold_that_no_list_can_hold_is_counted_and_said(cooking):
    _, store = cooking
    with Session("strange", store=":memory:", model=models_of(store)[-1]) as session:
        rows = [
            {"text": "Whisk the eggs .", "spans": [{"start": 0, "end": 5, "label": "Spell"}]},
            {"text": "Whisk the eggs well .", "spans": [{"start": 0, "end": 3, "label": "Action"}]},
            {"text": "Fold it .", "spans": []},
        ]
        session.add([{**row, "answer": "accept"} for row in rows], split="dev")
        found = session.oracle_curve((1, 4), decoders=("exact",), progress=False)
    assert found.unreachable == 2
    assert "For 2 of 3 texts no list can hold the gold" in found.summary
    assert (found.frame["gold_in_list"] <= 1 / 3).all()


def models_of(store):
    return sorted(store.with_suffix(".models").glob("*/*/model-best"))


# Probabilities and calibration.


def test_probabilities_change_no_span(session):
    texts = [one.text for one in GOLD]
    without = session.predict(texts)
    frame = session.predict(texts, probabilities=True)
    assert list(frame.columns) == [*without.columns, "probability"]
    assert frame.drop(columns="probability").equals(without)
    assert frame["probability"].between(0, 1).all()
    assert frame["probability"].nunique() > 10


def test_probabilities_are_those_of_the_decoder(session):
    from nbner.decoding.api import span_probabilities

    texts = [one.text for one in CORPUS.dev[:10]]
    frame = session.predict(texts, probabilities=True)
    temperatures = temperatures_of(session.nlp)
    for number, known in enumerate(span_probabilities(session.nlp, texts)):
        rows = frame[frame["example"] == number]
        spans = predicted_spans(frame, number)
        expected = [temperatures.apply(known.probability_of(span), span.label) for span in spans]
        assert rows["probability"].tolist() == pytest.approx(expected)


def test_a_source_of_nothing_has_the_column_too(session):
    assert "probability" in session.predict([], probabilities=True).columns


def test_calibration_scales_predictions_and_suggestions_alike(cooking):
    session, store = cooking
    session.nlp.meta.pop("nbner_calibration", None)
    texts = [one.text for one in CORPUS.dev[:20]]
    raw = session.predict(texts, probabilities=True)
    report = session.model.calibrate(progress=False)
    assert report.n_texts == len(GOLD)
    assert report.error_before == pytest.approx(by_hand(session, raw_of(session)), abs=1e-9)
    assert report.temperature != 1.0
    after = session.predict(texts, probabilities=True)
    expected = scale(raw["probability"].to_numpy(), report.temperature)
    np.testing.assert_allclose(after["probability"], expected, atol=1e-6)

    session.add(texts, split="shown")
    shown = session.make_gold(split="shown").current
    rows = after[after["example"] == 0]
    assert [span.score for span in shown.spans] == pytest.approx(rows["probability"].tolist())

    # The next session, and whoever loads the pipeline, finds it.
    with Session("cooking", store=store) as again:
        assert again.predict(texts, probabilities=True).equals(after)
    assert "temperature" in str(report)
    assert list(report.per_label.columns)[:3] == ["label", "n", "temperature"]
    assert set(report.frame["when"]) == {"before", "after"}
    assert "with the temperature" in report.plot().get_title(loc="left")


def raw_of(session):
    """Pairs of raw probability and right or not, over dev."""
    kept = session.nlp.meta.pop("nbner_calibration")
    frame = session.predict([one.text for one in GOLD], probabilities=True)
    session.nlp.meta["nbner_calibration"] = kept
    return [
        (probability, span in set(example.spans))
        for number, example in enumerate(GOLD)
        for span, probability in zip(
            predicted_spans(frame, number),
            frame[frame["example"] == number]["probability"],
            strict=True,
        )
    ]


def by_hand(session, pairs):
    bins = {}
    for probability, right in pairs:
        bins.setdefault(min(int(probability * 10), 9), []).append((probability, right))
    gaps = [abs(np.sum([p for p, _ in one]) - sum(r for _, r in one)) for one in bins.values()]
    return sum(gaps) / len(pairs)


def test_a_temperature_a_label(session):
    report = session.model.calibrate(per_label=True, progress=False)
    assert report.temperatures.per_label
    label, own = next(iter(report.temperatures.per_label.items()))
    rows = report.per_label.set_index("label")
    assert rows.loc[label, "n"] >= 30
    assert rows.loc[label, "temperature"] == own


def test_temperatures_travel_with_the_pipeline_and_not_to_another(session, tmp_path):
    from nbner.nlp.calibration_meta import load_temperatures

    report = session.model.calibrate(progress=False)
    session.nlp.to_disk(tmp_path / "model")
    loaded = spacy.load(tmp_path / "model")
    assert load_temperatures(loaded) == (report.temperature, {})
    node = next(one for one in loaded.get_pipe("ner").model.walk() if one.has_param("W"))
    node.set_param("W", node.get_param("W") * 1.5)
    assert load_temperatures(loaded) is None


def test_too_few_predictions_cannot_be_calibrated_on(session):
    session.add(CORPUS.dev[:2], split="few")
    with pytest.raises(DataError, match="too few to fit"):
        session.model.calibrate("few", progress=False)


# The curve of the answers.


def test_answers_give_the_curve_of_the_labelling_so_far(cooking):
    _, store = cooking
    dev = CORPUS.dev[:40]
    with Session(
        "again", labels=CORPUS.labels, store=":memory:", model=models_of(store)[-1]
    ) as one:
        one.add([example.text for example in dev], split="kitchen")
        annotator = one.make_gold(split="kitchen")
        for example in dev:
            assert annotator.current.text == example.text
            annotator.answer("accept", example.spans)
        free = one.oracle_curve((1, 4, 64), source="answers")
        asked = one.oracle_curve((1, 4, 64), ("exact",), split="kitchen", progress=False)
        assert free.frame.equals(asked.frame)
        assert free.source == "the answers so far"
        with pytest.raises(DataError, match="wider than the 64"):
            one.oracle_curve((1, 128), source="answers")
        # Taken back and answered anew, an answer counts once; a rejected one never.
        annotator.undo()
        annotator.answer("reject")
        assert one.oracle_curve((1,), source="answers").n == len(dev) - 1


def test_an_answer_is_stored_whatever_becomes_of_its_rank(session, monkeypatch):
    def broken(*_):
        raise RuntimeError

    session.add(["Stir the soup ."], split="broken")
    annotator = session.make_gold(split="broken")
    assert annotator.current is not None
    monkeypatch.setattr("nbner.decoding.lattice_view.Lattice.k_best", broken)
    annotator.answer("accept")
    assert session.counts("broken").accept == 1


def test_labelling_by_hand_keeps_no_rank(session):
    session.add(["Stir the soup again ."], split="by hand")
    session.manual(split="by hand").answer("accept")
    (answer,) = session.context.dataset.answers("by hand")
    assert "gold_rank" not in answer.extra


def test_the_first_analysis_scores_as_the_frame_says(curve, session):
    from nbner.decoding.api import parses

    firsts = [one[0].spans for one in parses(session.nlp, GOLD, 1)]
    f = score([one.spans for one in GOLD], firsts).exact.f
    assert curve.frame["top1_f"].iloc[0] == pytest.approx(f)


def test_a_study_can_be_stopped(session, monkeypatch):
    from nbner.decoding import api

    def interrupted(*_args, **_more):
        yield (nbner.Parse(1.0, 0.0, ()),)
        raise KeyboardInterrupt

    monkeypatch.setattr(api, "parses", interrupted)
    with pytest.raises(KeyboardInterrupt):
        session.oracle_curve(WIDTHS, progress=True)
    monkeypatch.undo()
    start = time.perf_counter()
    assert session.oracle_curve((1,), ("exact",), progress=False).n == len(GOLD)
    assert time.perf_counter() - start < 60


# The names of the models.


def test_the_record_of_a_run_is_read_once(monkeypatch):
    read = []
    whole = model_runs.load_json
    monkeypatch.setattr(model_runs, "load_json", lambda text: read.append(text) or whole(text))
    run = {"created": time.time(), "path": "nowhere"}
    with Session("runs", labels=["Tool"], store=":memory:") as session:
        context = session.context
        for name, f in (("one", 0.5), ("two", None)):
            record = {"best": {"f": f}}
            context.dataset.add_run({"id": name, "fingerprint": name, "record": record, **run})
            context.activate(context.nlp)
        context.activate(context.nlp)
        assert len(read) == 2
        names = context.answer_bus.source_names
    assert list(names) == ["one", "two"]
    assert names["one"].endswith(", F .50")
    assert " F " not in names["two"]
