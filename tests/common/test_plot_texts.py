"""Every picture shows a user's text as it is, whatever that holds."""

from __future__ import annotations

import ast
import warnings
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from matplotlib.text import Text

import nbner
from nbner._common.plot_style import MAX_NAME_LENGTH, contrast_ratio, drawable, plot_look
from nbner.teaching.trace.trace import ActionChoice

mpl.use("Agg")

NAMES = ("$a$", "a_$^{", "\\alpha $\\frac$", "<b>", "n" * 300, "成分 🧪", "two\nlines", "a\x00b")


def frame(**columns):
    return pd.DataFrame(columns)


def numbers(names, value=0.5):
    return [value] * len(names)


def scored(names, key, *columns):
    return frame(**{key: names}, **{name: numbers(names) for name in columns})


def step(name):
    choice = ActionChoice(f"B-{name}", 1.0, 0.6, 0.0)
    return SimpleNamespace(word=name, chosen=choice, choices=[choice], is_mistake=True)


#: Drawing function to the arguments that bring names into its picture.
PICTURES = {
    "quality.progress:_draw_entity_counts": lambda n: (
        (frame(label=n, entities=[2] * len(n)),),
        {"title": n[0], "colors": {}},
    ),
    "quality.consistency_report:_draw_variations": lambda n: (
        (
            frame(words=n, usual=n, as_usual=[2] * len(n), otherwise=[1] * len(n)).assign(
                missed=1, score=1.0
            ),
        ),
        {"title": n[0], "known": {}},
    ),
    "quality.agreement.report:_draw_agreement": lambda n: (
        (scored(n, "label", "exact", "exact_low", "exact_high", "relaxed").assign(spans=3),),
        {"title": n[0], "known": {}},
    ),
    "quality.label_issues_report:_draw_label_changes": lambda n: (
        (frame(given=n, suggested=n[::-1], count=[2] * len(n)),),
        {"title": n[0]},
    ),
    "quality.anchoring.report:_draw_anchoring": lambda n: (
        (
            scored(n, "annotator", "low", "high", "share").assign(
                suggestions="untouched", n=3, followed=2
            ),
        ),
        {"title": n[0]},
    ),
    "reranking.oracle.report:draw_oracle_curve": lambda n: (
        (
            frame(decoder=["exact"] * 2, width=[1, 8]).assign(
                **dict.fromkeys(
                    (
                        *("oracle_f", "oracle_f_low", "oracle_f_high"),
                        *("top1_f", "top1_f_low", "top1_f_high"),
                    ),
                    0.5,
                )
            ),
        ),
        {"title": n[0]},
    ),
    "reranking.coverage.report:draw_coverage": lambda n: (
        (
            scored(n, "value", "coverage", "coverage_low", "coverage_high", "size").assign(
                group="label", n=3, nominal=0.9, incomplete=0.1
            ),
        ),
        {"title": n[0]},
    ),
    "evaluation.report:draw_evaluation": lambda n: (
        (scored(n, "label", "f", "precision", "recall", "f_low", "f_high").assign(support=3),),
        {"title": n[0]},
    ),
    "evaluation.errors.plot:draw_confusion_matrix": lambda n: (
        (pd.DataFrame(np.ones((len(n), len(n))), index=list(n), columns=list(n)),),
        {"side_names": n[:2]},
    ),
    "evaluation.errors.plot:draw_error_rates": lambda n: (
        (scored(n, "bucket", "rate", "rate_low", "rate_high", "share").assign(errors=2, n=3),),
        {"description": n[0]},
    ),
    "evaluation.comparison:draw_comparison": lambda n: (
        (scored(n, "name", "f", "f_low", "f_high", "gain"),),
        {"title": n[0]},
    ),
    "evaluation.diff.report:draw_causes": lambda n: (
        (dict.fromkeys(n, 2),),
        {"total": 9, "title": n[0]},
    ),
    "training.report:training_curve": lambda n: (
        (frame(step=[0, 9], f=[0.1, 0.5], loss=[2.0, 1.0], is_best=[True, True]),),
        {"title": n[0]},
    ),
    "training.comparison:draw_training_comparison": lambda n: (
        (scored(n, "label", "f", "f_low", "f_high", "seconds").assign(init=n, kind="total"),),
        {},
    ),
    "training.learning_curve:draw_learning_curve": lambda n: (
        (frame(n=[10, 20], f=[0.4, 0.5], f_low=[0.3, 0.4], f_high=[0.5, 0.6]),),
        {"title": n[0]},
    ),
    "teaching.trace.report:_draw_decisions": lambda n: (
        ([step(name) for name in n],),
        {"labels": n, "title": n[0]},
    ),
    "teaching.trace.report:_draw_choices": lambda n: (
        ([ActionChoice(f"B-{name}", 1.0, 0.1, 0.0) for name in n],),
        {"labels": n, "title": n[0]},
    ),
    "teaching.quiz.report:_draw_grid": lambda n: (
        (
            frame(student=n, question=[1] * len(n), f=numbers(n)),
            frame(student=n, f=numbers(n)),
        ),
        {"title": n[0]},
    ),
    "decoding.probabilities:_draw_token_bars": lambda n: (
        (n, np.eye(len(n), len(n) + 1) * 0.8, [*n, "O"]),
        {"title": n[0]},
    ),
    "decoding.calibration.report:_draw_reliability_diagram": lambda n: (
        (
            frame(when=["before", "after"], n=[3, 3]).assign(
                **dict.fromkeys(("confidence", "accuracy", "accuracy_low", "accuracy_high"), 0.5)
            ),
        ),
        {"title": n[0]},
    ),
    "simulation.cost_curve:draw_cost_curves": lambda n: (
        (scored(n, "condition", "f", "actions", "seconds"),),
        {"cost": "actions", "title": n[0]},
    ),
}


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def shown_texts(ax):
    return [one.get_text() for one in ax.findobj(Text) if one.get_text()]


@pytest.mark.parametrize("name", PICTURES)
def test_no_name_is_mathematics_or_breaks_a_picture(name):
    module, _, function = name.partition(":")
    draw = getattr(import_module(f"nbner.{module}"), function)
    arguments, options = PICTURES[name](NAMES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # No font has all glyphs: a box in its place is the picture's own word.
        warnings.filterwarnings("ignore", "Glyph")
        ax = draw(*arguments, **options)
        ax.figure.canvas.draw()
    texts = shown_texts(ax)
    assert all(not text.get_parse_math() for text in ax.findobj(Text) if "$" in text.get_text())
    assert any("$" in text for text in texts)
    assert not any("\x00" in text for text in texts)
    # A long name leaves room for the picture itself.
    assert ax.get_window_extent().width > 0.15 * ax.figure.get_window_extent().width


@pytest.mark.parametrize(
    ("style", "grounds", "least"), [("screen", ("white", "#111111"), 4.1), ("paper", ("white",), 7)]
)
@pytest.mark.parametrize("name", PICTURES)
def test_every_text_is_legible_on_every_ground(name, style, grounds, least):
    module, _, function = name.partition(":")
    draw = getattr(import_module(f"nbner.{module}"), function)
    arguments, options = PICTURES[name](("Ingredient", "Action", "Dish", "ORG", "MONEY"))
    with plot_look(ax=None, style=style):
        ax = draw(*arguments, **options)
    ax.figure.draw_without_rendering()
    for text in ax.findobj(Text):
        if text.get_text() and text.get_visible():
            for ground in grounds:
                ratio = contrast_ratio(to_rgb(text.get_color()), to_rgb(ground))
                assert ratio >= least, (text.get_text(), ground)


def test_every_function_that_draws_is_in_the_list():
    package = Path(nbner.__file__).parent
    found = set()
    for file in package.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        if "apply_style" not in text:
            continue  # most files, whose parsing takes seconds
        for one in ast.parse(text).body:
            calls = [node.func for node in ast.walk(one) if isinstance(node, ast.Call)]
            names = {getattr(function, "id", "") for function in calls}
            if isinstance(one, ast.FunctionDef) and "apply_style" in names:
                module = ".".join(file.relative_to(package).with_suffix("").parts)
                found.add(f"{module}:{one.name}")
    assert found == set(PICTURES)


def test_a_name_is_shortened_and_says_so():
    assert drawable("n" * 300) == "n" * (MAX_NAME_LENGTH - 1) + "…"
    assert drawable("a\nb\ud800") == "a b\N{REPLACEMENT CHARACTER}"
    assert drawable("成分") == "成分"
