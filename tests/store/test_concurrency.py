"""Several threads and several processes, and a process that dies."""

import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest

from nbner import Answer
from nbner.store.store import Store

# What each process runs: it answers, and says so only when the answer is in the store.
ANSWERING = textwrap.dedent(
    """
    import sys
    from nbner.store.store import Store
    from nbner.types import Answer

    path, name, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])
    dataset = Store(path).dataset("demo")
    hashes = [example.input_hash for example in dataset.examples()]
    print("ready", flush=True)
    sys.stdin.readline()
    for n in range(wanted):
        answer = Answer(f"{name} {n}", hashes[n % len(hashes)], "train", name, "accept")
        assert dataset.record(answer)
        print(answer.id, flush=True)
    """
)

MAKING = textwrap.dedent(
    """
    import sys
    from nbner.store.store import Store

    print("ready", flush=True)
    sys.stdin.readline()
    store = Store(sys.argv[1])
    dataset = store.dataset("demo")
    dataset.set_labels(["A"])
    print(store.key, flush=True)
    """
)


def start(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def go(processes):
    """Let all begin at the same moment."""
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()


@pytest.fixture
def full(add, dataset):
    add([f"text {n}" for n in range(40)])
    return dataset


def test_processes_that_answer_at_once_lose_nothing_and_double_nothing(where, full):
    processes = [start(ANSWERING, where, f"annotator {n}", 60) for n in range(4)]
    go(processes)
    said = [line for process in processes for line in process.communicate()[0].split("\n") if line]
    assert [process.returncode for process in processes] == [0] * 4
    assert len(said) == 240
    assert sorted(answer.id for answer in full.answers(current=False)) == sorted(said)
    assert (full.counts().accept, full.counts().open) == (40, 0)


def test_processes_that_make_a_store_at_once_make_one(where):
    processes = [start(MAKING, where) for _ in range(4)]
    go(processes)
    keys = {process.communicate()[0] for process in processes}
    assert [process.returncode for process in processes] == [0] * 4
    assert len(keys) == 1
    assert Store(where).dataset("demo").labels == ("A",)


def test_what_was_acknowledged_is_there_after_the_process_is_killed(where, full):
    process = start(ANSWERING, where, "ann", 100_000)
    go([process])
    said = [process.stdout.readline().strip() for _ in range(25)]
    os.kill(process.pid, signal.SIGKILL)
    said += process.stdout.read().split("\n")[:-1]
    process.wait()
    process.stdin.close()
    process.stdout.close()
    assert process.returncode == -signal.SIGKILL
    kept = [answer.id for answer in Store(where).dataset("demo").answers(current=False)]
    # One more may have been committed than the process lived to say.
    assert kept[: len(said)] == said
    assert len(kept) <= len(said) + 1
    counts = Store(where).dataset("demo").counts()
    assert counts.accept == min(len(kept), 40)


@pytest.fixture(params=["file", "memory", "server"])
def shared(request, path, add):
    places = {
        "file": lambda: path,
        "memory": lambda: ":memory:",
        "server": lambda: request.getfixturevalue("postgres_server").place(),
    }
    store = Store(places[request.param]())
    dataset = store.dataset("demo")
    add([f"text {n}" for n in range(40)], to=dataset)
    yield dataset
    store.close()


def run_all(*jobs):
    """Run jobs in threads that begin together; raise what any of them raised."""
    together = threading.Barrier(len(jobs))
    errors = []

    def run(job):
        together.wait()
        try:
            job()
        except Exception as error:  # noqa: BLE001 - raised again below, in the test's thread
            errors.append(error)

    threads = [threading.Thread(target=run, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in errors:
        raise error


def test_threads_write_and_read_at_once(shared):
    examples = list(shared.examples())

    def answers(name):
        for n, example in enumerate(examples):
            assert shared.record(Answer(f"{name} {n}", example.input_hash, "train", name, "accept"))

    def reads():
        for _ in range(20):
            counts = shared.counts()
            assert counts.total == 40
            assert counts.accept + counts.open == 40
            shared.next_unanswered("train", 12)
            assert sum(1 for _ in shared.examples()) == 40

    run_all(*(lambda name=name: answers(name) for name in ("a", "b", "c")), reads, reads)
    assert len(list(shared.answers())) == 120
    assert shared.counts().accept == 40


def test_one_id_from_two_threads_is_applied_once(shared):
    (example, *_) = shared.examples()
    applied = []
    answer = Answer("the one", example.input_hash, "train", "ann", "accept")
    run_all(*(lambda: applied.append(shared.record(answer)) for _ in range(6)))
    assert sorted(applied) == [False] * 5 + [True]


def test_answers_are_taken_while_rows_are_still_being_read(full, add, give):
    """However long a file takes to read and check, nobody waits for it."""
    (example, *_) = full.examples()

    def rows():
        yield "first"
        # A second connection: it would be locked out if adding had begun to write.
        assert give(full, example)
        yield "second"

    assert add(rows()).added == 2
    assert full.counts().accept == 1
