"""What lists hold, and what a reranker and an ensemble gain: printed as it comes out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import nbner
from nbner.decoding.api import parses
from nbner.io import formats
from nbner.io.rows import example_from_row
from nbner.reranking.oracle.study import WIDTHS

CORPORA = ("protocols", "wnut17")
DEV = 1000  # texts measured on
SCORED = 300  # texts whose scores are compared rank by rank
ROUNDING = 1e-3  # a beam adds scores in single precision
SEEDS = (0, 1, 2)

# Four trainings a seed: on two cores all of the data would take hours.
TRAIN = 1500
FOLDS = 3
EPOCHS = 6
WIDTH = 8


def given(data: Path, name: str, split: str, most: int) -> list[nbner.Example]:
    rows = formats.read(data / name / f"{split}.conll")
    return [replace(example_from_row(row), answer="accept") for row, _ in zip(rows, range(most))]  # noqa: B905


def spread(row) -> str:
    gain, low, high = (100 * row[name] for name in ("gain", "gain_low", "gain_high"))
    return f"{gain:+.1f} F ({low:+.1f} to {high:+.1f})"


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", CORPORA)
def test_exact_scores_are_never_below_those_of_a_beam(trained_on, say, data, name):
    """Under the same objective, raw scores, at every rank and width; oracle F is another matter."""
    session, _ = trained_on(name)
    nlp, texts = session.nlp, [one.text for one in given(data, name, "dev", SCORED)]
    raw = list(parses(nlp, texts, max(WIDTHS), decoder="exact_raw"))
    below = dict.fromkeys(WIDTHS, 0)
    for width in WIDTHS:
        beams = parses(nlp, texts, width, decoder="beam")
        # The exact list for a smaller width is a prefix; the beam adds in single precision.
        below[width] = sum(
            ours.score < theirs.score - ROUNDING
            for exact, beam in zip(raw, beams, strict=True)
            for ours, theirs in zip(exact, beam, strict=False)
        )
    what = f"{name}, {len(texts)} dev texts, ranks of exact raw lists below the beam's, by width"
    say(what, below, "0 at every width")
    assert not any(below.values())


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", CORPORA)
def test_what_exact_lists_and_a_beam_hold(trained_on, say, data, name):
    session, _ = trained_on(name)
    session.add(given(data, name, "dev", DEV), split="thousand")
    curve = session.oracle_curve(
        decoders=("exact", "exact_raw", "beam"), split="thousand", progress=False
    )
    frame = curve.frame.set_index(["decoder", "width"])
    columns = ["oracle_f", "top1_f", "first_is_best", "gold_in_list", "mean_gold_rank"]
    for width in WIDTHS:
        exact, raw, beam = (
            frame.loc[one, width]["oracle_f"] for one in ("exact", "exact_raw", "beam")
        )
        say(
            f"{name}, {curve.n} dev texts, width {width}, oracle F of exact normalized lists",
            f"{exact:.3f}",
            f"as it comes; over raw scores {raw:.3f}, the beam's {beam:.3f}",
        )
    for row in curve.decoder_frame.to_dict("records"):
        say(f"{name}, difference", row, "as it comes")
    table = curve.frame[["decoder", "width", *columns]].round(3).to_string(index=False)
    say(f"{name}, all figures", f"\n{table}\n{curve.summary}", "none")


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", CORPORA)
def test_calibration(trained_on, say, data, name):
    session, _ = trained_on(name)
    for per_label in (False, True):
        found = session.model.calibrate(per_label=per_label, progress=False)
        say(
            f"{name}, expected calibration error, "
            + ("a temperature a label" if per_label else f"temperature {found.temperature:.2f}"),
            f"{found.error_before:.3f} before, {found.error_after:.3f} after",
            "lower after",
        )
        assert found.error_after < found.error_before


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", CORPORA)
def test_a_reranker_and_an_ensemble(say, data, name, tmp_path):
    what = f"{name}, {TRAIN} training texts, {DEV} dev texts, {EPOCHS} epochs"
    models = []
    for seed in SEEDS:
        with nbner.Session(name, store=tmp_path / f"{seed}.db", seed=seed) as session:
            session.add(given(data, name, "train", TRAIN), split="train")
            session.add(given(data, name, "dev", DEV), split="dev")
            report = session.train(max_epochs=EPOCHS, progress=False)
            models.append(report.path)
            found = session.model.rerank(WIDTH, folds=FOLDS, max_epochs=EPOCHS, progress=False)
            say(
                f"{what}, seed {seed}, share of the oracle's gain", f"{found.oracle_share:.2f}", "-"
            )
            rows = found.frame.set_index("name")
            say(
                f"{what}, seed {seed}, reranker over {WIDTH} from {FOLDS} folds, F "
                f"{rows['f'].iloc[0]:.3f} to {rows['f'].iloc[1]:.3f}",
                spread(rows.loc["the reranker"]),
                f"as it comes; a perfect one {spread(rows.iloc[2])}",
            )
            if seed == SEEDS[-1]:
                together = session.model.ensemble(models, width=WIDTH, progress=False)
    table = together.frame.round(3).to_string(index=False)
    say(f"{what}, ensemble of seeds {SEEDS}", f"\n{table}\n{together.summary}", "as it comes")
    assert set(found.frame["n"]) == set(together.frame["n"]) == {min(DEV, found.frame["n"].iloc[0])}
