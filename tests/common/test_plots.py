"""Pictures: what they say, whatever the labels and the thread."""

import inspect
import pkgutil
import threading
from importlib import import_module

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.pylabtools import select_figure_formats
from IPython.utils.capture import capture_output
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib_inline import backend_inline

import nbner
from nbner._common.plot_style import INK_COLOR, label_lines, new_axes, new_figure, plot_look
from nbner._common.result import FigureResult
from nbner.errors import DataError
from nbner.evaluation.errors.plot import draw_confusion_matrix
from nbner.evaluation.report import Evaluation, draw_evaluation
from nbner.evaluation.scores import score
from nbner.training.records import TrainingRecord
from nbner.training.report import curve_frame, training_curve
from nbner.types import Span

mpl.use("Agg")

STRANGE = r"$\frac$ <b> 成分"


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def evaluation(labels=("A", "B")):
    gold = [[Span(i, i + 1, label) for i, label in enumerate(labels)]]
    return Evaluation(score(gold, [gold[0][:1]]))


def records():
    values = [(0, 0.0, True), (50, 0.4, True), (100, 0.55, True), (150, 0.5, False)]
    return [
        TrainingRecord(s, s // 60, s / 10, s * 90, 1 / (s + 1), b, f, f, f) for s, f, b in values
    ]


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_an_evaluation_is_drawn_with_its_finding():
    ax = evaluation().plot()
    assert isinstance(ax, Axes)
    assert ax.get_title(loc="left") == "F 0.67 on dev, 1 example; weakest: B"
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["B", "A"]
    assert texts(ax) == ["0.00 · 1 gold", "1.00 · 1 gold"]


def test_a_frame_alone_says_which_label_is_best_and_worst():
    ax = draw_evaluation(evaluation().frame)
    assert ax.get_title(loc="left") == "Found best: A (F 1.00); worst: B (F 0.00)"


def test_a_label_that_cannot_be_counted_is_said_to_be_so():
    ax = draw_evaluation(Evaluation(score([[]], [[]], labels=("A",))).frame)
    assert texts(ax) == ["no span to count"]


@pytest.mark.filterwarnings("ignore:Glyph")
def test_labels_are_not_read_as_mathematics():
    ax = evaluation((STRANGE, "A")).plot()
    ax.figure.canvas.draw()
    assert STRANGE in [tick.get_text() for tick in ax.get_yticklabels()]


def test_a_curve_says_what_is_best_and_since_when():
    ax = training_curve(curve_frame(records()))
    assert ax.get_title(loc="left") == "Dev F 0.550 after 101 steps; no gain in the 50 since"
    assert texts(ax) == ["loss", "F"]
    ax = training_curve(curve_frame(records()[:3]))
    assert ax.get_title(loc="left") == "Dev F 0.550 after 101 steps, the best so far"


def test_a_curve_of_nothing_says_so():
    assert training_curve(curve_frame([])).get_title(loc="left") == "No evaluation yet"


def test_axes_handed_in_are_drawn_on():
    figure = new_figure()
    ax = figure.subplots()
    assert training_curve(curve_frame(records()), ax=ax) is ax
    assert evaluation().plot(ax=ax) is ax
    assert plt.get_fignums() == []


def test_a_cell_shows_the_picture_since_pyplot_knows_it():
    ax = evaluation().plot()
    assert plt.figure(plt.get_fignums()[-1]) is ax.figure


def test_another_thread_draws_without_pyplot():
    drawn = []
    thread = threading.Thread(target=lambda: drawn.append(evaluation().plot()))
    thread.start()
    thread.join()
    assert drawn[0].get_title(loc="left")
    assert plt.get_fignums() == []


def test_the_ground_is_transparent():
    for ax in (evaluation().plot(), training_curve(curve_frame(records()))):
        assert ax.get_facecolor()[3] == ax.figure.get_facecolor()[3] == 0.0


def test_names_of_lines_that_end_close_together_do_not_overlap():
    ax = new_axes()
    ax.set_ylim(0, 1)
    label_lines(
        ax, [(1.0, 0.03, "f", "blue"), (1.0, 0.02, "recall", "grey"), (1.0, 0.9, "p", "red")]
    )
    heights = {text.get_text(): text.xy[1] for text in ax.texts}
    assert heights["recall"] == 0.02
    height = ax.get_window_extent().height
    assert (heights["f"] - heights["recall"]) * height > 9  # points: a line of text
    assert heights["p"] == 0.9


@pytest.fixture
def shell():
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def test_a_dark_notebook_is_not_asked_for_a_white_block(shell):
    """The inline backend asks for one where a figure is transparent and its ticks are dark."""
    select_figure_formats(shell, {"png"})
    figure = evaluation().plot().figure
    assert backend_inline._fetch_figure_metadata(figure) == {"needs_background": "light"}
    with capture_output() as shown:
        backend_inline.show(close=False)
    (output,) = shown.outputs
    assert output.data["image/png"]
    assert "needs_background" not in output.metadata


def test_a_page_has_its_own_ink():
    page = evaluation().to_html()
    assert "currentColor" in page
    assert INK_COLOR not in page


def test_a_title_is_ones_own_or_none():
    assert evaluation().plot(title="Mine").get_title(loc="left") == "Mine"
    assert evaluation().plot(title=None).get_title(loc="left") == ""
    assert evaluation().plot(title="Mine", style="paper").get_title(loc="left") == "Mine"
    assert evaluation().plot(style="paper").get_title(loc="left") == ""


def test_paper_has_the_fonts_of_the_user_or_a_serif():
    fonts = [text.get_fontname() for text in evaluation().plot(style="paper").get_yticklabels()]
    assert set(fonts) == {"DejaVu Serif"}
    with mpl.rc_context({"font.family": "monospace", "font.size": 12, "ytick.labelsize": 11}):
        (label, _) = evaluation().plot(style="paper").get_yticklabels()
    assert (label.get_fontname(), label.get_size()) == ("DejaVu Sans Mono", 11)
    assert evaluation().plot().get_yticklabels()[0].get_fontname() == "DejaVu Sans"


def test_paper_is_white_and_a_column_wide():
    figure = evaluation().plot(style="paper").figure
    assert figure.get_facecolor() == (1.0, 1.0, 1.0, 1.0)
    assert figure.get_figwidth() == 3.25
    assert evaluation().plot(style="paper", width=5).figure.get_figwidth() == 5
    many = pd.DataFrame(np.ones((20, 20)), index=range(20), columns=range(20))
    with plot_look(ax=None, style="paper"):
        assert draw_confusion_matrix(many).figure.get_figwidth() == 6.75


def test_a_vector_file_has_its_fonts(tmp_path):
    evaluation().plot(style="paper").figure.savefig(tmp_path / "f.pdf")
    written = (tmp_path / "f.pdf").read_bytes()
    assert b"/FontFile2" in written
    assert b"/Type3" not in written


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"style": "poster"}, "'screen' or 'paper', not 'poster'"),
        ({"title": 3}, "not 3"),
        ({"width": 0}, "width"),
        ({"width": 400}, "at most 40 inches"),
        ({"width": 3, "ax": True}, "Leave one of the two out"),
    ],
)
def test_a_wrong_look_is_named(wrong, said):
    ax = new_figure().subplots() if "ax" in wrong else None
    with pytest.raises(DataError, match=said):
        evaluation().plot(**{**wrong, "ax": ax})


def test_every_plot_takes_the_same_arguments():
    for module in pkgutil.walk_packages(nbner.__path__, "nbner."):
        for kind in vars(import_module(module.name)).values():
            plot = inspect.isclass(kind) and vars(kind).get("plot")
            if plot:
                names = set(inspect.signature(plot).parameters)
                assert names >= {"ax", "title", "style", "width"}, (kind, names)


class Whole:
    """Has the figure of a part."""

    plot = FigureResult.plot

    def _draw(self, ax):
        return evaluation().plot(ax)


def test_the_figure_of_a_part_has_the_look_that_the_whole_was_asked_for():
    ax = Whole().plot(title="ours", style="paper", width=3)
    assert ax.get_title(loc="left") == "ours"
    assert ax.figure.get_figwidth() == 3
    assert ax.figure.get_facecolor() == evaluation().plot(style="paper").figure.get_facecolor()
    assert Whole().plot(style="paper").get_title(loc="left") == ""
    assert evaluation().plot().get_title(loc="left") == Whole().plot().get_title(loc="left")
    mine = new_figure().subplots()
    assert Whole().plot(mine, title=None) is mine
    assert mine.get_title(loc="left") == ""


def test_the_shared_arguments_are_written_once():
    shared = ["self", "ax", "title", "style", "width"]
    written = {
        kind.plot
        for module in pkgutil.walk_packages(nbner.__path__, "nbner.")
        for kind in vars(import_module(module.name)).values()
        if inspect.isclass(kind) and "plot" in vars(kind)
        if list(inspect.signature(kind.plot).parameters) == shared
    }
    assert written == {FigureResult.plot}
