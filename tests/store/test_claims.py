"""Several annotators: nobody gets what another has, and nobody waits for ever."""

import threading
from contextlib import closing

import pytest

from nbner import DataError, Span
from nbner.store import claims
from nbner.store.store import Store


@pytest.fixture
def team(add, dataset):
    add([f"text {n}" for n in range(60)])
    return dataset.assignments


@pytest.fixture
def clock(monkeypatch):
    """A clock that tests set, from which claims are reckoned."""

    class Clock:
        now = 1_000_000.0

    clock = Clock()
    monkeypatch.setattr("nbner.store.clock.now", lambda connection: clock.now)
    return clock


def texts(examples):
    return [int(one.text.split()[1]) for one in examples]


def test_no_example_goes_to_two_people(team):
    ann = texts(team.next_for("train", "ann", 12))
    bob = texts(team.next_for("train", "bob", 12))
    assert ann == list(range(12))
    assert len(bob) == 12
    assert set(ann).isdisjoint(bob)
    # Asking again is answered with the same.
    assert texts(team.next_for("train", "ann", 12)) == ann


def test_those_on_the_page_are_passed_over(team):
    page = team.next_for("train", "ann", 12)
    more = team.next_for("train", "ann", 3, exclude=[one.input_hash for one in page])
    assert texts(more) == [12, 13, 14]


def test_a_claim_ends_by_itself_and_is_renewed_by_work(team, clock, dataset, give):
    (first, *_) = team.next_for("train", "ann", 5)
    clock.now += claims.CLAIM_SECONDS * 0.6
    give(dataset, first, by="ann")
    assert texts(team.next_for("train", "ann", 5)) == [1, 2, 3, 4, 5]
    clock.now += claims.CLAIM_SECONDS * 0.6
    # Ann has worked on meanwhile: hers are still hers.
    assert 1 not in texts(team.next_for("train", "bob", 12))
    clock.now += claims.CLAIM_SECONDS
    assert texts(team.next_for("train", "eve", 3)) == [1, 2, 3]


def test_what_was_given_back_is_free(team):
    team.next_for("train", "ann", 5)
    team.release_claims("ann")
    assert texts(team.next_for("train", "bob", 2)) == [0, 1]


def test_a_decision_taken_back_comes_to_its_annotator_again(team, dataset, give):
    (first, *_) = team.next_for("train", "ann", 3)
    give(dataset, first, by="ann")
    assert 0 not in texts(team.next_for("train", "ann", 3))
    give(dataset, first, None, [(0, 4, "A")], by="ann")
    assert 0 not in texts(team.next_for("train", "bob", 12))
    (again, *_) = team.next_for("train", "ann", 3)
    assert (texts([again]), again.spans) == ([0], (Span(0, 4, "A"),))


def test_each_example_to_as_many_as_overlap_says(team, dataset, give):
    team.set_overlap("train", 2)
    ann, bob = (team.next_for("train", name, 12) for name in ("ann", "bob"))
    assert texts(ann) == texts(bob) == list(range(12))
    assert set(texts(team.next_for("train", "eve", 12))).isdisjoint(texts(ann))
    give(dataset, ann[0], "accept", [(0, 4, "A")], by="ann")
    (shown, *_) = team.next_for("train", "bob", 1)
    # Bob must not see what Ann said.
    assert (texts([shown]), shown.spans, shown.answer, shown.annotator) == ([0], (), None, None)
    assert team.find(shown.input_hash, "train", "bob").answer is None
    assert team.find(shown.input_hash, "train", "ann").answer == "accept"
    give(dataset, bob[0], "reject", by="bob")
    for name in ("ann", "bob", "eve"):
        assert 0 not in texts(team.next_for("train", name, 60))


def test_each_example_to_everybody(team, dataset, give):
    team.set_overlap("train", "all")
    for name in ("ann", "bob", "eve"):
        for example in team.next_for("train", name, 100):
            give(dataset, example, by=name)
        assert team.next_for("train", name, 100) == []
        assert (team.counts("train", name).accept, team.counts("train", name).open) == (60, 0)
    assert team.counts("train", "dan").open == 60
    assert dataset.counts().accept == 60


def test_counts_are_what_one_sees(team, dataset, give):
    (first, second, *_) = team.next_for("train", "ann", 3)
    give(dataset, first, by="ann")
    assert (team.counts("train", "bob").accept, team.counts("train", "bob").open) == (1, 59)
    team.set_overlap("train", 2)
    give(dataset, second, "ignore", by="bob")
    ann = team.counts("train", "ann")
    assert (ann.total, ann.accept, ann.ignore, ann.open) == (60, 1, 0, 59)


@pytest.mark.parametrize("overlap", [0, -1, 1.5, "some", None, True])
def test_what_is_no_number_of_people_is_refused(team, overlap):
    with pytest.raises(DataError, match="number of people"):
        team.set_overlap("train", overlap)
    assert team.overlap("train") == 1


def test_an_overlap_holds_for_all_who_open_the_store(team, where):
    team.set_overlap("train", "all")
    with closing(Store(where)) as other:
        assert other.dataset("demo").assignments.overlap("train") == "all"
        assert other.dataset("demo").assignments.overlap("dev") == 1


def test_nothing_is_there_in_a_split_that_is_not(team):
    assert team.next_for("dev", "ann", 5) == []
    assert team.counts("dev", "ann").total == 0
    assert team.find(1, "dev", "ann") is None


def test_people_who_ask_at_once_get_different_examples(team):
    got = {}
    together = threading.Barrier(4)

    def ask(name):
        together.wait()
        got[name] = texts(team.next_for("train", name, 3))

    threads = [threading.Thread(target=ask, args=[name]) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    given = [one for found in got.values() for one in found]
    assert len(given) == len(set(given)) == 12


def test_where_nothing_can_be_written_one_reads_on(path, add):
    with closing(Store(path)) as store:
        add(["text 0", "text 1"], to=store.dataset("demo"))
    with closing(Store(f"sqlite:///file:{path}?mode=ro&uri=true")) as reader:
        assert texts(reader.dataset("demo").assignments.next_for("train", "ann", 5)) == [0, 1]


def test_where_people_differ(team, dataset, give):
    first, second, third, fourth, fifth = list(dataset.examples())[:5]
    for name, spans in (("ann", [(0, 4, "A")]), ("bob", [(0, 4, "B")])):
        give(dataset, first, "accept", spans, by=name)
    for name in ("ann", "bob"):
        give(dataset, second, "accept", [(0, 4, "A")], by=name)
        give(dataset, fourth, "ignore", [(0, 4, name[0].upper())], by=name)
    give(dataset, third, "accept", by="ann")
    give(dataset, third, "reject", by="bob")
    give(dataset, fifth, "accept", [(0, 4, "A")], by="ann")
    give(dataset, fifth, "accept", by="import")
    disputed = team.examples_by_id([id_ for id_, _ in team.disputed("train")])
    assert sorted(texts(disputed.values())) == [0, 2]
    assert team.annotators() == ["ann", "bob"]
    give(dataset, first, "accept", [(0, 4, "A")], by="eve", extra={"review": True})
    assert len(team.disputed("train")) == 1
    assert team.annotators() == ["ann", "bob"]
    assert dataset.find(first.input_hash, "train").annotator == "eve"
    # The originals stay.
    assert len(list(dataset.answers("train", "ann"))) == 5
