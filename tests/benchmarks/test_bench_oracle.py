"""What lists hold, and what a reranker and an ensemble gain: printed as it comes out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import nbner
from nbner.io import formats
from nbner.io.rows import example_from_row
from nbner.reranking.oracle.study import WIDTHS

CORPORA = ("protocols", "wnut17")
DEV = 1000  # texts measured on
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
def test_exact_lists_hold_at_least_what_a_beam_holds(trained_on, say, data, name):
    session, _ = trained_on(name)
    session.add(given(data, name, "dev", DEV), split="thousand")
    curve = session.oracle_curve(split="thousand", progress=False)
    frame = curve.frame.set_index(["decoder", "width"])
    columns = ["oracle_f", "top1_f", "first_is_best", "gold_in_list", "mean_gold_rank"]
    for width in WIDTHS:
        exact, beam = frame.loc["exact", width], frame.loc["beam", width]
        low, high = exact["oracle_f_low"], exact["oracle_f_high"]
        say(
            f"{name}, {curve.n} dev texts, width {width}, oracle F of the exact list",
            f"{exact['oracle_f']:.3f} ({low:.3f} to {high:.3f})",
            f">= the beam's, {beam['oracle_f']:.3f}",
        )
    table = curve.frame[["decoder", "width", *columns]].round(3).to_string(index=False)
    say(f"{name}, all figures", f"\n{table}\n{curve.summary}", "none")
    for width in WIDTHS:
        assert frame.loc["exact", width]["oracle_f"] >= frame.loc["beam", width]["oracle_f"], width


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
