"""Hashes: the same everywhere, apart where they must be."""

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from nbner._common.hashing import HASH_RANGE, input_hash, task_hash, text_digest
from nbner.types import Span


def test_hashes_are_the_same_in_every_process():
    code = "from nbner._common.hashing import *; print(input_hash('Add 5 ml 水'), task_hash(7))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "1"},
    )
    assert done.stdout.split() == [str(input_hash("Add 5 ml 水")), str(task_hash(7))]


def test_hashes_stay_what_they_are():
    # Stored in every database: a change would make every text new.
    assert input_hash("Hi. My name is Vincent") == -1_419_352_570
    assert task_hash(1333440749, [Span(15, 22, "name")]) == -1_042_697_442


@given(st.text(), st.integers(0, 3))
def test_a_hash_is_signed_32_bits_and_never_nothing(text, attempt):
    assert input_hash(text, attempt=attempt) in HASH_RANGE
    assert input_hash(text, attempt=attempt) != 0


@given(st.text(max_size=5), st.text(max_size=5))
def test_texts_are_apart(one, other):
    assert (text_digest(one) == text_digest(other)) == (one == other)


def test_a_further_attempt_gives_another_hash():
    assert len({input_hash("Add 5 ml", attempt=attempt) for attempt in range(50)}) == 50


def test_a_task_is_its_text_and_its_spans_in_any_order():
    one, other = Span(0, 3, "A"), Span(4, 5, "B")
    assert task_hash(1, [one, other]) == task_hash(1, [other, one])
    assert len({task_hash(1), task_hash(2), task_hash(1, [one]), task_hash(1, [other])}) == 4
