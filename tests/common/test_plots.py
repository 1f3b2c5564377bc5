"""Pictures: what they say, whatever the labels and the thread."""

import threading

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from nbner._common.plot_style import LABEL_DISTANCE, label_lines, new_axes, new_figure
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
    assert heights["f"] == pytest.approx(0.02 + LABEL_DISTANCE)
    assert heights["p"] == 0.9
