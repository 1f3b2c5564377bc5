"""Arrays of a model reach NumPy by ``ops.to_numpy`` alone. No GPU is used here.

What nbner gets from a model is wrapped as an array that refuses every implicit
conversion, as one on a GPU does; only ``to_numpy`` of its ops opens it.
"""

from __future__ import annotations

import sys

import numpy as np
import pytest
import spacy
from thinc.api import Model, NumpyOps, get_current_ops, set_current_ops

import nbner
from nbner.decoding.api import parses, span_probabilities
from nbner.errors import TrainingError
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import clone_pipeline, load_base, recognizer_of
from nbner.training import device, loop
from nbner.training.freezing import check_frozen, frozen_weights

TEXT = "Add 5 ml of water carefully ."
LABELS = ("Action", "Amount", "Reagent")


class DeviceArray:
    """An array that is somewhere else."""

    def __init__(self, inner):
        self.inner = inner

    shape = property(lambda self: self.inner.shape)
    size = property(lambda self: self.inner.size)
    dtype = property(lambda self: self.inner.dtype)

    def __array__(self, *given, **named):
        raise TypeError("implicit conversion to a NumPy array is not allowed; use ops.to_numpy")

    def __float__(self):
        raise TypeError("implicit conversion to a number is not allowed; use ops.to_numpy")

    __int__ = __index__ = __iter__ = __len__ = __bool__ = __float__

    def ravel(self):
        return DeviceArray(self.inner.ravel())

    def __getitem__(self, place):
        return DeviceArray(self.inner[place])


class DeviceOps(NumpyOps):
    """Ops whose arrays are on a device of their own."""

    opened = 0

    def to_numpy(self, data, *, byte_order=None):
        if isinstance(data, DeviceArray):
            DeviceOps.opened += 1
            data = data.inner
        return super().to_numpy(data, byte_order=byte_order)


def to_device(value):
    if isinstance(value, np.ndarray):
        return DeviceArray(value)
    if isinstance(value, (list, tuple)):
        return type(value)(map(to_device, value))
    return DeviceStep(value) if hasattr(value, "state2vec") else value


def from_device(value):
    return value.inner if isinstance(value, DeviceArray) else value


class DeviceStep:
    """The parser's layers over one batch, with its arrays on the device."""

    def __init__(self, step):
        self._step = step

    def __getattr__(self, name):
        found = getattr(self._step, name)
        return DeviceStep(found) if name in ("state2vec", "vec2scores") else found

    def predict(self, values):
        return to_device(self._step.predict(from_device(values)))


@pytest.fixture
def on_device(monkeypatch):
    """Put what nbner's own code gets from a model on the device; libraries are left alone."""
    predict, get_param = Model.predict, Model.get_param

    def is_guarded(model):
        caller = sys._getframe(2).f_globals["__name__"]
        return type(model.ops) is DeviceOps and caller.startswith("nbner.")

    def guarded_predict(self, values):
        return to_device(predict(self, values)) if is_guarded(self) else predict(self, values)

    def guarded_param(self, name):
        found = get_param(self, name)
        return to_device(found) if is_guarded(self) else found

    monkeypatch.setattr(Model, "predict", guarded_predict)
    monkeypatch.setattr(Model, "get_param", guarded_param)

    def place(nlp):
        """Give the pipeline's models the device's ops."""
        for _, component in nlp.pipeline:
            for node in component.model.walk() if hasattr(component, "model") else ():
                node.ops = DeviceOps()
        DeviceOps.opened = 0
        return nlp

    return place


@pytest.fixture
def placed(on_device, trained):
    return on_device(clone_pipeline(trained))


def test_the_guard_refuses_what_a_gpu_refuses():
    array = DeviceArray(np.ones(3, np.float32))
    for convert in (np.asarray, np.array, float, list, lambda one: np.zeros(3) + one):
        with pytest.raises(TypeError, match="implicit conversion"):
            convert(array)
    target = np.zeros(3)
    with pytest.raises(TypeError, match="implicit conversion"):
        target[:] = array
    assert DeviceOps().to_numpy(array).sum() == 3


def test_exact_decoding(placed, trained):
    (found,), (expected,) = parses(placed, [TEXT], 8), parses(trained, [TEXT], 8)
    assert DeviceOps.opened
    assert [one.spans for one in found] == [one.spans for one in expected]


def test_span_probabilities(placed):
    (known,) = span_probabilities(placed, [TEXT])
    assert DeviceOps.opened
    assert known is not None


def test_the_fingerprint_is_that_of_the_same_weights_elsewhere(placed, trained):
    assert fingerprint(placed) == fingerprint(trained)
    assert DeviceOps.opened


def test_static_vectors_count_in_the_fingerprint(monkeypatch):
    nlp = spacy.blank("en")
    nlp.vocab.set_vector("water", np.ones(4, np.float32))
    nlp.vocab.set_vector("salt", np.zeros(4, np.float32))
    before = fingerprint(nlp)
    asked = []

    def ops_of(array):
        asked.append(array)
        return NumpyOps()

    monkeypatch.setattr("nbner.nlp.fingerprint.get_array_ops", ops_of)
    again = spacy.blank("en")
    again.vocab.set_vector("water", np.ones(4, np.float32))
    again.vocab.set_vector("salt", np.zeros(4, np.float32))
    assert fingerprint(again) == before
    assert len(asked) == 1


def test_the_check_of_frozen_weights(placed, trained):
    name = recognizer_of(placed)[0]
    before = frozen_weights(trained, name)
    assert {type(one) for one in frozen_weights(placed, name).values()} == {np.ndarray}
    check_frozen(before, placed, name)
    assert DeviceOps.opened


@pytest.fixture
def session(trained_path, on_device):
    with nbner.Session("d", labels=LABELS, store=":memory:", model=trained_path) as made:
        on_device(made.nlp)
        yield made


def test_what_a_session_shows_of_a_model(session, trained_path):
    with nbner.Session("e", labels=LABELS, store=":memory:", model=trained_path) as plain:
        on_cpu = plain.predict([TEXT], probabilities=True)
    found = session.predict([TEXT], probabilities=True)
    assert DeviceOps.opened
    assert found.drop(columns="source", errors="ignore").equals(
        on_cpu.drop(columns="source", errors="ignore")
    )
    assert np.isfinite(session.model.action_scores(TEXT).frame["probability"]).all()
    assert np.isfinite(session.model.token_features([TEXT]).matrix).all()


def test_the_state_machine(session):
    trace = session.explain(TEXT)
    assert trace.frame["probability"].between(0, 1).all()
    assert DeviceOps.opened


def test_suggestions(session):
    session.add([TEXT])
    spans = session.make_gold().current.spans
    assert spans
    assert all(0 <= one.score <= 1 for one in spans)


# Which processor trains.


class OtherOps(NumpyOps):
    """Ops that stand for those of GPU number 3."""

    def __init__(self, device_type="gpu", device_id=3):
        super().__init__(device_type, device_id)


@pytest.fixture
def gpu(monkeypatch):
    """Have GPU number 3, which computes on the CPU; what is asked of it is kept."""
    asked = []

    def require(gpu_id):
        asked.append(gpu_id)
        if gpu_id != 3:
            raise ValueError("No GPU devices detected")
        set_current_ops(OtherOps())

    allocators = []
    monkeypatch.setattr(device, "require_gpu", require)
    monkeypatch.setattr(device, "set_gpu_allocator", allocators.append)
    before = get_current_ops()
    yield allocators
    set_current_ops(before)


def first_step(corpus, dev, output, **options):
    """Train one step; return the ops in the midst of it, and the finished run."""
    found = loop.train(
        "blank:en",
        corpus,
        dev,
        labels=LABELS,
        output=output,
        max_steps=4,
        eval_frequency=2,
        **options,
    )
    with found as run:
        seen = set()
        for _ in run:
            seen |= {type(get_current_ops())}
        result = run.finish()
    return run, result, seen


def test_a_gpu_is_trained_on_and_left_again(gpu, corpus, dev, tmp_path):
    before = type(get_current_ops())
    run, result, outside = first_step(corpus, dev, tmp_path / "run", gpu_id=3)
    weights = run._prepared.nlp.get_pipe("ner").model
    assert type(weights.ops) is OtherOps
    assert outside == {before}, "the notebook computes where it did"
    assert type(result.nlp.get_pipe("ner").model.ops) is before
    assert result.record["gpu_id"] == 3


def test_the_saved_config_is_the_same_and_spacy_takes_the_number_by_its_option(
    gpu, corpus, dev, tmp_path
):
    def written(name, **options):
        _, result, _ = first_step(corpus, dev, tmp_path / name, **options)
        text = (result.path.parent / "config.cfg").read_text(encoding="utf-8")
        return text.replace(str(tmp_path / name), "")

    assert written("one", gpu_id=3) == written("two", gpu_id=-1)
    assert gpu == [], "no allocator without a transformer"


def test_the_cpu_is_trained_on_where_the_notebook_computes_on_a_gpu(gpu, corpus, dev, tmp_path):
    set_current_ops(OtherOps())
    run, result, outside = first_step(corpus, dev, tmp_path / "cpu", gpu_id=-1)
    assert type(run._prepared.nlp.get_pipe("ner").model.ops) is not OtherOps
    assert outside == {OtherOps}
    assert result.record["gpu_id"] == -1


def test_by_default_training_computes_where_the_notebook_does(gpu, corpus, dev, tmp_path):
    set_current_ops(OtherOps())
    run, result, _ = first_step(corpus, dev, tmp_path / "default")
    assert type(run._prepared.nlp.get_pipe("ner").model.ops) is OtherOps
    assert result.record["gpu_id"] == 3


def test_another_process_is_told_where_to_compute(gpu, corpus, dev, monkeypatch):
    jobs = []

    class Run:
        def __init__(self, *given, options, **named):
            jobs.append(options)

    monkeypatch.setattr("nbner.session.training.BackgroundRun", Run)
    set_current_ops(OtherOps())
    with nbner.Session("d", labels=LABELS, store=":memory:") as session:
        session.add(corpus, gold=True)
        session.train(background=True)
        session.train(background=True, gpu_id=-1)
    assert [one["gpu_id"] for one in jobs] == [3, -1]


@pytest.mark.parametrize("background", [False, True])
def test_a_gpu_that_is_not_there_is_an_error_at_once(gpu, corpus, background):
    before = get_current_ops()
    with nbner.Session("d", labels=LABELS, store=":memory:") as session:
        session.add(corpus, gold=True)
        with pytest.raises(TrainingError, match=r"no GPU 7 .*gpu_id="):
            session.train(gpu_id=7, background=background, progress=False)
    assert get_current_ops() is before


def test_the_session_takes_the_number(gpu, corpus):
    with nbner.Session("d", labels=LABELS, store=":memory:") as session:
        session.add(corpus, gold=True)
        report = session.train(gpu_id=3, max_epochs=1, progress=False)
    assert report.record["gpu_id"] == 3


def test_a_transformer_shares_the_memory_with_pytorch(gpu, trained_path, monkeypatch):
    base = load_base(trained_path)
    monkeypatch.setattr("nbner.training.device.transformers_of", lambda nlp: ("transformer",))
    with device.TrainingDevice(3, allocator=device.allocator_of(base)):
        pass
    assert set(gpu) == {"pytorch"}
