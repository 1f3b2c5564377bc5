"""Write the table of oracle F against list length: ``make oracle-table DATA=... OUTPUT=...``.

For every corpus, number of training labels and seed: a fifth of the labels, drawn at
random, stops the training and fits the temperature of the states; the lists are studied
on texts that neither saw. The trained sessions are kept (``sessions/``), and each table of a
run in its own file as it ends (``runs/``); what is there already is not repeated, so that
an interrupted command goes on where it stopped, and one that asks for more trains nothing
again. A corpus that has no more training texts than a number that is asked for has one
run, "all".

``figures.csv`` has one row a run, decoder and width, with 95 % bootstrap intervals over
the texts; ``differences.csv`` the paired differences between decoders; ``advice.csv`` what
each study advises; ``table.md`` and ``table.tex`` the means over the seeds; and one picture
for each corpus and number of labels, as PDF and PNG.

``--coverage`` adds ``coverage.csv`` and ``coverage.md``: nominal and empirical coverage of
the sets of analyses, each studied text under thresholds that other studied texts
calibrated, with the sizes of the sets. ``--reranker 8`` adds ``reranker.csv``: the gain of
a reranker over so many analyses on the studied texts, and its share of what a perfect
choice would gain; it trains a model for each of ``--folds``.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import matplotlib as mpl
import pandas as pd

import nbner
from nbner.io import formats
from nbner.io.rows import example_from_row
from nbner.nlp.calibration_meta import load_list_temperature
from nbner.reranking.coverage.study import (
    SET_METHODS,
    SET_SIZE,
    SINGLE,
    WIDTH,
    coverage_rows,
    held_out_texts,
    needed_texts,
)
from nbner.reranking.oracle.report import OracleCurve, draw_oracle_curve

#: Name of a corpus to the files of its training texts and of the texts that are studied;
#: one file for both is divided.
CORPORA = {
    "protocols": ("train.conll", "dev.conll"),
    "wnut17": ("train.conll", "dev.conll"),
    "food": ("food.jsonl", "food.jsonl"),
    "politics": ("train.txt", "test.txt"),
    "science": ("train.txt", "test.txt"),
}
WIDTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
FIGURES = {
    "oracle_f": "oracle F",
    "top1_f": "top-1 F",
    "first_is_best": "first is best",
    "gold_in_list": "gold in list",
    "mean_gold_rank": "gold rank",
}
KEYS = ["corpus", "labels", "decoder", "width"]
DEV_FRACTION = 0.2
ALPHAS = (0.1, 0.05)
STORE = "nbner.db"
TRAINED = "trained"  # a file that says so
OPTIONS = "options.json"
STUDIED_FRACTION = 0.3  # of a corpus in one file
#: Decoders as the tables name them.
DECODERS = {
    "exact": "exact",
    "exact_raw": "exact, raw scores",
    "exact_calibrated": "exact, calibrated",
    "beam": "beam",
}
_LATEX = {"&": r"\&", "%": r"\%", "_": r"\_", "#": r"\#", "$": r"\$"}


@dataclass(frozen=True)
class Run:
    """One training: a corpus, a number of labelled texts ("all" or digits) and a seed."""

    corpus: str
    labels: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.corpus}-{self.labels}-{self.seed}"


# The runs.


def texts_of(data: Path, corpus: str) -> tuple[list[nbner.Example], list[nbner.Example]]:
    """Read the texts to train on and those to study, all accepted."""
    train, studied = (_read(data / corpus / file) for file in CORPORA[corpus])
    if len(set(CORPORA[corpus])) > 1:
        return train, studied
    order = random.Random(0).sample(train, len(train))
    size = round(STUDIED_FRACTION * len(order))
    return order[size:], order[:size]


def _read(path: Path) -> list[nbner.Example]:
    form = {".txt": "conll"}.get(path.suffix)
    rows = (example_from_row(row) for row in formats.read(path, format=form))
    # A text that was not answered has no gold.
    kept = [one for one in rows if path.suffix != ".jsonl" or one.answer == "accept"]
    return [replace(one, answer="accept") for one in kept]


@contextmanager
def trained_session(run: Run, options: argparse.Namespace) -> Iterator[nbner.Session]:
    """Open the session of a run, trained and with the temperature of its states."""
    folder = options.output / "sessions" / run.name
    if not (folder / TRAINED).exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _train(run, options, folder)
        (folder / TRAINED).touch()
    with nbner.Session(run.corpus, store=folder / STORE, seed=run.seed) as session:
        yield session


def _train(run: Run, options: argparse.Namespace, folder: Path) -> None:
    train, studied = texts_of(options.data, run.corpus)
    chosen = random.Random(run.seed).sample(train, len(train))
    chosen = chosen if run.labels == "all" else chosen[: int(run.labels)]
    size = max(1, round(DEV_FRACTION * len(chosen)))
    if options.max_studied is not None:
        studied = random.Random(0).sample(studied, min(options.max_studied, len(studied)))
    with nbner.Session(run.corpus, store=folder / STORE, seed=run.seed) as session:
        session.add(chosen[size:], split="train")
        session.add(chosen[:size], split="dev")
        session.add(studied, split="studied")
        session.train(max_epochs=options.max_epochs, progress=False)
        try:
            session.model.calibrate_lists("dev")
        except nbner.DataError as error:
            sys.stdout.write(f"{run.name}: no temperature, {error}\n")


def study(session: nbner.Session, options: argparse.Namespace) -> dict[str, pd.DataFrame]:
    """Study the lists of a trained session; the advice comes last."""
    curve = session.oracle_curve(options.widths, split="studied", progress=False)
    sizes = [len(session.examples(part)) for part in ("train", "dev")]
    facts = {"temperature": load_list_temperature(session.nlp), "train_texts": sum(sizes)}
    return tables_of(curve, facts)


def tables_of(curve: OracleCurve, facts: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """Return the rows of a study and of its advice, which says that the study is whole."""
    advice = pd.DataFrame([{**facts, **_advice(curve)}])
    return {"figures": curve.frame, "differences": curve.decoder_frame, "advice": advice}


def coverage_of(session: nbner.Session, options: argparse.Namespace) -> dict[str, pd.DataFrame]:
    """Measure the coverage of the sets of analyses of the studied texts, a row a level and kind."""
    gold = session.context.gold("studied")
    texts = list(held_out_texts(session.nlp, gold))
    listed = sum(one.gold_rank is not None for one in texts) / len(texts)
    rows = []
    for alpha in ALPHAS:
        if len(texts) < needed_texts(alpha):
            sys.stdout.write(f"{len(texts)} texts are too few for {1 - alpha:.0%}\n")
            continue
        found = coverage_rows(texts, alpha, width=WIDTH, seed=session.seed)
        named = {(one.method, one.group, one.value): one for one in found}
        for method in SET_METHODS:
            whole, single = named[method, "all", "all"], named.get((method, SET_SIZE, SINGLE))
            rows.append(
                {
                    "nominal": 1 - alpha,
                    "sets": method,
                    "n": whole.n,
                    "coverage": whole.coverage.value,
                    "coverage_low": whole.coverage.low,
                    "coverage_high": whole.coverage.high,
                    "listed": whole.listed,
                    "size": whole.size.value,
                    "median_size": whole.median_size,
                    "single": whole.single,
                    "single_wrong": None if single is None else 1 - single.coverage.value,
                    "incomplete": whole.incomplete,
                    "gold_in_list": listed,
                }
            )
    return {"coverage": pd.DataFrame(rows)}


def reranker_of(session: nbner.Session, options: argparse.Namespace) -> dict[str, pd.DataFrame]:
    """Fit a reranker, and measure its gain on the studied texts."""
    found = session.model.rerank(
        options.reranker,
        dev="studied",
        folds=options.folds,
        max_epochs=options.max_epochs,
        progress=False,
    )
    first, own, best = found.comparison.rows
    row = {
        "width": options.reranker,
        "folds": options.folds,
        "first_f": first.f.value,
        "reranked_f": own.f.value,
        "best_f": best.f.value,
        "gain": own.gain.value,
        "gain_low": own.gain.low,
        "gain_high": own.gain.high,
        "oracle_share": found.oracle_share,
        "harms": found.harms,
    }
    return {"reranker": pd.DataFrame([row])}


def write_run(run: Run, tables: dict[str, pd.DataFrame], folder: Path) -> None:
    """Write tables of one run, each whole or not at all."""
    keys = {"corpus": run.corpus, "labels": run.labels, "seed": run.seed}
    for name, frame in tables.items():
        named = frame.assign(**keys)[[*keys, *frame.columns]]
        part = folder / f"{run.name}.{name}.part"
        named.to_csv(part, index=False)
        part.replace(folder / f"{run.name}.{name}.csv")


def _advice(curve: OracleCurve) -> dict[str, Any]:
    width = curve.recommended_width
    points = [one for one in curve.points if one.decoder == "exact"]
    shown = next((one for one in points if one.width == width), points[-1])
    return {
        "n": curve.n,
        "unreachable": curve.unreachable,
        "worthwhile": curve.worthwhile,
        "recommended_width": width,
        "gain": shown.gain.value,
        "misranked": 1 - shown.first_is_best.value,
        "summary": curve.summary,
    }


def asked_runs(options: argparse.Namespace) -> Iterator[Run]:
    """Yield the runs that are asked for; where a number is all that there are, one for both."""
    for corpus in options.corpora:
        n_texts = len(texts_of(options.data, corpus)[0])
        sizes = ["all" if one != "all" and int(one) >= n_texts else one for one in options.labels]
        for labels in dict.fromkeys(sizes):
            for seed in options.seeds:
                yield Run(corpus, labels, seed)


# The tables.


def collect(folder: Path, name: str) -> pd.DataFrame:
    """Join the rows of all finished runs."""
    whole = sorted(one.name.removesuffix(".advice.csv") for one in folder.glob("*.advice.csv"))
    files = [folder / f"{one}.{name}.csv" for one in whole]
    # Runs of an earlier command may lack a table that was asked for later.
    frames = [pd.read_csv(one, dtype={"labels": str}) for one in files if one.exists()]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def average(figures: pd.DataFrame) -> pd.DataFrame:
    """Average figures and bounds over the seeds, in the order of corpora, decoders and widths."""
    columns = [f"{name}{end}" for name in FIGURES for end in ("", "_low", "_high")]
    groups = figures.groupby(KEYS, sort=False)
    return groups[columns].mean().assign(seeds=groups["seed"].nunique()).reset_index()


def rows_of_table(means: pd.DataFrame) -> Iterator[list[str]]:
    """Yield the cells of the table's rows: the mean, and its mean interval in brackets."""
    for row in means.to_dict("records"):
        cells = [row["corpus"], row["labels"], DECODERS.get(row["decoder"], row["decoder"])]
        yield [*cells, f"{row['width']}", *(_cell(row, name) for name in FIGURES)]


def _cell(row: dict[Any, Any], name: str) -> str:
    digits = 1 if name == "mean_gold_rank" else 3
    value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    if value != value:
        return "-"
    return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def markdown_table(means: pd.DataFrame) -> str:
    """Write the means as a Markdown table."""
    head = ["corpus", "labels", "decoder", "width", *FIGURES.values()]
    lines = [head, ["---"] * len(head), *rows_of_table(means)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def coverage_table(found: pd.DataFrame) -> str:
    """Write the coverage of every corpus, averaged over the seeds, as a Markdown table."""
    keys = ["corpus", "labels", "nominal", "sets"]
    groups = found.groupby(keys, sort=False)
    figures = ["coverage", "listed", "size", "median_size", "single", "single_wrong", "incomplete"]
    means = groups[[*figures, "gold_in_list"]].mean().reset_index()
    head = [
        *("corpus", "labels", "sets", "asked", "covered", "listed", "mean size", "median"),
        *("one analysis", "wrong of those", "incomplete", "gold in list"),
    ]
    lines = [head, ["---"] * len(head)]
    for row in means.to_dict("records"):
        shares = [row[one] for one in ("single", "single_wrong", "incomplete", "gold_in_list")]
        lines.append(
            [
                *(row["corpus"], row["labels"], row["sets"], f"{row['nominal']:.2f}"),
                *(f"{row['coverage']:.3f}", f"{row['listed']:.3f}", f"{row['size']:.1f}"),
                f"{row['median_size']:.0f}",
                *("-" if one != one else f"{one:.3f}" for one in shares),
            ]
        )
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def latex_table(means: pd.DataFrame) -> str:
    """Write the means as a LaTeX table for the packages booktabs and longtable."""
    head = ["corpus", "labels", "decoder", "width", *FIGURES.values()]
    lines = [
        rf"\begin{{longtable}}{{lll{'r' * (len(head) - 3)}}}",
        r"\toprule",
        rf"{' & '.join(map(_latex, head))} \\",
        r"\midrule",
        r"\endhead",
        *(rf"{' & '.join(map(_latex, cells))} \\" for cells in rows_of_table(means)),
        r"\bottomrule",
        r"\end{longtable}",
    ]
    return "\n".join(lines) + "\n"


def _latex(text: str) -> str:
    return "".join(_LATEX.get(one, one) for one in text)


def draw_pictures(means: pd.DataFrame, folder: Path) -> list[Path]:
    """Draw one picture for each corpus and number of labels, from the means over the seeds."""
    from matplotlib import pyplot as plt

    found = []
    # Type 42 embeds fonts whole, as publishers ask.
    with mpl.rc_context({"pdf.fonttype": 42}):
        for (corpus, labels), rows in means.groupby(["corpus", "labels"], sort=False):
            ax = draw_oracle_curve(rows, title=f"{corpus}, {labels} labelled texts")
            for suffix in ("pdf", "png"):
                found.append(folder / f"{corpus}-{labels}.{suffix}")
                ax.figure.savefig(found[-1], dpi=200, bbox_inches="tight")
            plt.close(ax.figure)
    return found


def write_tables(folder: Path) -> None:
    """Write all tables and pictures from the runs that are there."""
    figures = collect(folder / "runs", "figures")
    if figures.empty:
        return
    figures.to_csv(folder / "figures.csv", index=False)
    for name in ("differences", "advice", "coverage", "reranker"):
        found = collect(folder / "runs", name)
        if found.empty:
            continue
        found.to_csv(folder / f"{name}.csv", index=False)
        if name == "coverage":
            (folder / "coverage.md").write_text(coverage_table(found), encoding="utf-8")
    means = average(figures)
    (folder / "table.md").write_text(markdown_table(means), encoding="utf-8")
    (folder / "table.tex").write_text(latex_table(means), encoding="utf-8")
    draw_pictures(means, folder)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(one) for one in text.split(","))


def _sizes(text: str) -> tuple[str, ...]:
    found = tuple(text.split(","))
    wrong = [one for one in found if one != "all" and not (one.isdigit() and int(one) > 1)]
    if wrong:
        raise argparse.ArgumentTypeError(f"{wrong[0]!r} is neither all nor a number of texts")
    return found


def parse_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the options of the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the corpora")
    parser.add_argument("--output", type=Path, required=True, help="folder of tables and pictures")
    parser.add_argument("--corpora", nargs="+", choices=CORPORA, default=list(CORPORA))
    parser.add_argument("--labels", type=_sizes, default=("all", "200"), help="such as all,200")
    parser.add_argument("--seeds", type=_numbers, default=(0, 1, 2), help="such as 0,1,2")
    parser.add_argument("--widths", type=_numbers, default=WIDTHS, help="such as 1,8,64")
    parser.add_argument("--max-epochs", type=int, help="of a training; by default as a session's")
    parser.add_argument("--max-studied", type=int, help="texts that are studied; by default all")
    parser.add_argument("--coverage", action="store_true", help="measure sets of analyses too")
    parser.add_argument("--reranker", type=int, metavar="WIDTH", help="fit a reranker too")
    parser.add_argument("--folds", type=int, default=5, help="models of a reranker")
    return parser.parse_args(arguments)


def check_options(options: argparse.Namespace) -> None:
    """Keep what the runs of a folder have in common; stop where it holds runs of other options."""
    names = ["widths", "max_epochs", "max_studied"]
    if options.reranker is not None:
        names += ["reranker", "folds"]
    asked = json.loads(json.dumps({name: getattr(options, name) for name in names}))
    file = options.output / OPTIONS
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    other = [name for name in names if name in kept and kept[name] != asked[name]]
    if other:
        found = ", ".join(f"{name} {kept[name]}" for name in other)
        sys.exit(f"{options.output} holds runs with {found}: give the same, or another --output")
    file.write_text(json.dumps(kept | asked), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Study what is not there yet, and write the tables after every run."""
    mpl.use("Agg")
    options = parse_options(arguments)
    runs = options.output / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    check_options(options)
    steps = {"advice": study}
    if options.coverage:
        steps["coverage"] = coverage_of
    if options.reranker is not None:
        steps["reranker"] = reranker_of
    todo = list(asked_runs(options))
    for number, run in enumerate(todo, start=1):
        missing = [one for one in steps if not (runs / f"{run.name}.{one}.csv").exists()]
        if not missing:
            continue
        began = perf_counter()
        with trained_session(run, options) as session:
            for name in missing:
                found = steps[name](session, options)
                write_run(run, found, runs)
                write_tables(options.output)
                seconds = perf_counter() - began
                sys.stdout.write(f"{number}/{len(todo)} {run.name} {name}, {seconds:.0f} s\n")
                sys.stdout.flush()
    write_tables(options.output)


if __name__ == "__main__":
    main()
