"""The command that writes the oracle table: its tables and pictures from finished runs."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
from module_files import loaded

import nbner
from nbner.reranking.oracle.report import OracleCurve
from nbner.reranking.oracle.study import WIDTHS, run_study
from nbner.types import Span

mpl.use("Agg")
A, B = Span(0, 2, "A"), Span(3, 4, "B")


@pytest.fixture(scope="module")
def table():
    with loaded(Path(__file__).parents[1] / "benchmarks" / "oracle_table.py") as module:
        yield module


def curve(first):
    """Study two texts; the first analysis of one is right or wrong."""
    lists = [[(A,) if first else (B,), (A,)], [(B,), ()]]
    points = []
    for decoder in ("exact", "beam"):
        done = run_study(iter(lists), [(A,), (B,)], widths=(1, 2), decoder=decoder)
        points += done.points
    return OracleCurve(tuple(points))


@pytest.fixture
def folder(table, tmp_path):
    runs = tmp_path / "runs"
    runs.mkdir()
    facts = {"temperature": None, "train_texts": 3}
    for seed, first in ((0, True), (1, False)):
        found = table.tables_of(curve(first), facts)
        table.write_run(table.Run("food & drink", "all", seed), found, runs)
    # A run that was cut short has no advice, and counts as none.
    (runs / "wnut17-all-0.figures.csv").write_text("corpus\nwnut17\n")
    table.write_tables(tmp_path)
    return tmp_path


def test_figures_are_averaged_over_the_seeds(table, folder):
    figures = pd.read_csv(folder / "figures.csv")
    assert figures.groupby(["corpus", "seed"]).size().tolist() == [4, 4]
    means = table.average(figures).set_index(["decoder", "width"])
    assert (means["seeds"] == 2).all()
    # One text right of two with a span each, and two of two.
    assert means.loc[("exact", 1), "oracle_f"] == pytest.approx((1.0 + 0.5) / 2)
    assert means.loc[("exact", 2), "oracle_f"] == 1.0


def test_the_tables_have_a_row_a_decoder_and_width(folder):
    markdown = (folder / "table.md").read_text().splitlines()
    assert len(markdown) == 2 + 4
    assert markdown[2].startswith("| food & drink | all | exact | 1 | 0.750 [")
    latex = (folder / "table.tex").read_text()
    assert r"food \& drink & all & exact & 1 & 0.750 [" in latex
    assert latex.count(r"\\") == 1 + 4
    assert latex.startswith(r"\begin{longtable}{lllrrrrrr}")


def test_pictures_embed_their_fonts_and_the_advice_is_kept(folder):
    picture = (folder / "food & drink-all.pdf").read_bytes()
    assert b"/FontFile2" in picture
    assert (folder / "food & drink-all.png").stat().st_size > 1000
    advice = pd.read_csv(folder / "advice.csv")
    assert advice["seed"].tolist() == [0, 1]
    assert advice["summary"].str.contains("cannot tell").all()


def test_a_corpus_in_one_file_is_divided_and_the_others_are_not(table, tmp_path):
    (tmp_path / "food").mkdir()
    rows = [f'{{"text": "text {i}", "spans": [], "answer": "accept"}}' for i in range(10)]
    rows.append('{"text": "open", "spans": []}')
    (tmp_path / "food" / "food.jsonl").write_text("\n".join(rows))
    train, studied = table.texts_of(tmp_path, "food")
    assert (len(train), len(studied)) == (7, 3)
    assert len({one.text for one in (*train, *studied)}) == 10
    (tmp_path / "politics").mkdir()
    for name in ("train", "test"):
        (tmp_path / "politics" / f"{name}.txt").write_text(f"{name}\tB-A\n.\tO\n\n")
    train, studied = table.texts_of(tmp_path, "politics")
    assert ([one.text for one in train], [one.text for one in studied]) == (
        ["train ."],
        ["test ."],
    )


def test_a_tiny_run_measures_coverage_and_a_reranker_too(table, tmp_path):
    corpus = nbner.sample()
    (tmp_path / "food").mkdir()
    with nbner.Session("food", labels=corpus.labels, store=":memory:") as session:
        session.add([*corpus.train[:110], *corpus.dev[:20]])
        session.export(tmp_path / "food" / "food.jsonl")
    command = ["--data", str(tmp_path), "--output", str(tmp_path / "out"), "--corpora", "food"]
    command += ["--labels", "30", "--seeds", "0", "--widths", "1,2", "--max-epochs", "1"]
    table.main(command)
    trained = tmp_path / "out" / "sessions" / "food-30-0" / "nbner.models" / "food"
    assert [one.name for one in trained.iterdir()] == ["0001"]
    # What was not asked for before is measured on the model that is there.
    table.main([*command, "--coverage", "--reranker", "2", "--folds", "2"])
    assert [one.name for one in trained.iterdir()] == ["0001"]
    with pytest.raises(SystemExit, match="holds runs with folds 2: give the same"):
        table.main([*command, "--reranker", "2", "--folds", "3"])
    coverage = pd.read_csv(tmp_path / "out" / "coverage.csv")
    assert coverage["nominal"].tolist() == pytest.approx([0.9] * 3 + [0.95] * 3)
    assert set(coverage["sets"]) == {"cumulative", "regularized", "probability"}
    assert (coverage["n"] == 39).all()
    assert coverage["coverage"].between(0, 1).all()
    whole = (tmp_path / "out" / "coverage.md").read_text().splitlines()
    assert whole[2].startswith("| food | 30 | cumulative | 0.90 | ")
    assert len(whole) == 2 + 6
    (row,) = pd.read_csv(tmp_path / "out" / "reranker.csv").to_dict("records")
    assert (row["corpus"], row["width"], row["folds"]) == ("food", 2, 2)
    assert row["gain"] == pytest.approx(row["reranked_f"] - row["first_f"])
    perfect = row["best_f"] - row["first_f"]
    if perfect > 0:
        assert row["oracle_share"] == pytest.approx(row["gain"] / perfect)


def test_a_number_that_is_all_there_are_has_no_run_of_its_own(table, tmp_path):
    (tmp_path / "politics").mkdir()
    for name, count in (("train", 3), ("test", 1)):
        text = "".join(f"{name}{i}\tB-A\n.\tO\n\n" for i in range(count))
        (tmp_path / "politics" / f"{name}.txt").write_text(text)
    command = ["--data", str(tmp_path), "--output", str(tmp_path), "--corpora", "politics"]
    for sizes, names in (("all,3", ["all"]), ("2,all", ["2", "all"]), ("9", ["all"])):
        found = table.parse_options([*command, "--labels", sizes, "--seeds", "0"])
        assert [one.labels for one in table.asked_runs(found)] == names


def test_the_options_are_those_of_the_published_table(table, tmp_path):
    found = table.parse_options(["--data", str(tmp_path), "--output", str(tmp_path)])
    assert found.widths == (*WIDTHS, 128, 256)
    assert (found.labels, found.seeds) == (("all", "200"), (0, 1, 2))
    assert found.corpora == ["protocols", "wnut17", "food", "politics", "science"]
    with pytest.raises(SystemExit):
        table.parse_options(["--data", "x", "--output", "y", "--labels", "many"])
