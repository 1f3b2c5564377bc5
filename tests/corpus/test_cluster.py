"""Labelling on a real cluster: the same outcome, also where workers die."""

from __future__ import annotations

import os
import threading
import time
from contextlib import nullcontext

import pandas as pd
import pytest

from nbner import DataError
from nbner._common.progress import ProgressBar
from nbner.corpus import workers

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    for number in range(8):
        texts = [f"Add {i} g of salt to {number} ml of water ." for i in range(60)]
        pd.DataFrame({"id": range(60), "text": texts}).to_parquet(folder / f"{number}.parquet")
    return folder


def test_a_cluster_gives_the_same_bytes_though_a_worker_is_killed(
    cluster, session, label, source, tmp_path, content
):
    here = label(source, tmp_path / "here", keep=["id"])

    def kill():
        done = tmp_path / "there" / "_nbner" / "partitions"
        while not (done.exists() and any(done.iterdir())):
            time.sleep(0.02)
        pid = next(iter(cluster.run(os.getpid).values()))
        os.kill(pid, 9)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    there = label(source, tmp_path / "there", keep=["id"], client=cluster)
    killer.join(60)
    assert there.is_complete
    assert (there.new, there.texts) == (8, 480)
    assert content(tmp_path / "there") == content(tmp_path / "here")
    assert [one.labels for one in there.records] == [one.labels for one in here.records]
    assert not (tmp_path / "there" / "_nbner" / "writing").exists()


def test_a_partition_that_fails_on_workers_is_reported(cluster, session, label, source, tmp_path):
    # Workers find the file damaged; it was whole when the work was planned.
    from nbner.corpus.run import label_corpus, plan_corpus
    from nbner.corpus.settings import settings_for

    settings = settings_for(
        session.nlp,
        text="text",
        keep=(),
        shape="spans",
        probabilities=False,
        min_probability=None,
    )
    plan = plan_corpus(settings, str(source), str(tmp_path / "target"))
    (source / "3.parquet").write_bytes(b"PAR1")
    with pytest.warns(UserWarning, match=r"1 of 8 partitions failed.*3\.parquet"):
        report = label_corpus(session.nlp, plan, client=cluster, progress=False)
    assert [one.partition for one in report.failed] == ["3.parquet"]
    assert report.new == 7


def test_the_stop_button_cancels_and_leaves_a_target_to_go_on_with(
    cluster, label, source, tmp_path, monkeypatch, content
):
    # Processes of this machine are a cluster for the time of the call; here it is the one at hand.
    started = {}

    def running(**options):
        started.update(options)
        return nullcontext(cluster.cluster)

    monkeypatch.setattr(distributed, "LocalCluster", running)
    wrap = ProgressBar.wrap

    def interrupted(self, items):
        yield next(wrap(self, items))
        raise KeyboardInterrupt

    monkeypatch.setattr(ProgressBar, "wrap", interrupted)
    stopped = label(source, n_process=2)
    assert (started["n_workers"], started["threads_per_worker"]) == (2, 1)
    assert not stopped.is_complete
    assert "stopped" in stopped.summary
    monkeypatch.setattr(ProgressBar, "wrap", wrap)
    assert label(source, n_process=2).is_complete
    label(source, tmp_path / "here")
    assert content(tmp_path / "target") == content(tmp_path / "here")


class Answers:
    """A client whose workers answer as they are told."""

    def __init__(self, answer):
        self.answer = answer

    def run(self, function, task, on_error):
        answer = self.answer
        return {"tcp://w": answer(function(task)) if callable(answer) else answer}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        # As distributed answers where the function cannot be unpickled.
        (
            Exception("ModuleNotFoundError(\"No module named 'nbner'\")"),
            r"worker tcp://w lacks .*'nbner'.*Install the same there",
        ),
        (ImportError("No package metadata was found for pyarrow"), r"lacks .*pyarrow"),
        (PermissionError("no"), "worker tcp://w cannot begin: PermissionError"),
        (
            lambda known: {**known, "versions": {**known["versions"], "spacy": "3.7.0"}},
            r"worker tcp://w has spacy 3\.7\.0, and here is",
        ),
        (lambda known: {**known, "target": False}, "worker tcp://w does not see the target"),
        (lambda known: {**known, "source": False}, "worker tcp://w does not see the source"),
    ],
)
def test_workers_that_cannot_do_it_are_named_before_the_work(
    session, label, source, tmp_path, answer, message
):
    with pytest.raises(DataError, match=message):
        label(source, client=Answers(answer))
    assert not list((tmp_path / "target").glob("*.parquet"))


def test_a_cluster_without_workers(session):
    class Nobody:
        def run(self, *args, **options):
            return {}

    with pytest.raises(DataError, match="the cluster has no workers"):
        workers.check_workers(Nobody(), None)
