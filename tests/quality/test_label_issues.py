"""Issues and variations of gold, over probabilities that are given."""

import pytest

from nbner._common.alignment import join_words
from nbner.quality.consistency import find_variations
from nbner.quality.label_issues import apply_suggestions, find_label_issues, rank_issues
from nbner.types import Example, Span


def example(text, *spans, **given):
    words = text.split()
    _, tokens = join_words(words)
    made = tuple(Span(tokens[a].start, tokens[b - 1].end, label) for a, b, label in spans)
    return Example(text, tokens=tokens, spans=made, answer="accept", **given)


def span(one, a, b, label):
    return Span(one.tokens[a].start, one.tokens[b - 1].end, label)


def found(one, probabilities, outside):
    spans = {span(one, a, b, label): value for (a, b, label), value in probabilities.items()}
    return rank_issues(find_label_issues(one, spans, outside))


def test_each_kind_is_told_with_what_is_likelier():
    one = example("add LB broth and mix 5 ml", (1, 2, "R"), (4, 5, "R"), (5, 6, "A"))
    likely = {
        (1, 3, "R"): 0.9,
        (4, 5, "V"): 0.7,
        (4, 5, "R"): 0.2,
        (0, 1, "V"): 0.6,
        (5, 6, "A"): 0.1,
    }
    issues = found(one, likely, [0.3, 0.1, 0.1, 1.0, 0.1, 0.85, 1.0])
    assert [issue.kind for issue in issues] == [
        "other_borders",
        "no_entity",
        "other_label",
        "missed",
    ]
    assert [round(issue.score, 2) for issue in issues] == [0.9, 0.75, 0.5, 0.3]
    assert issues[0].suggested == span(one, 1, 3, "R")
    assert issues[1].suggested is None
    assert issues[3].gold is None
    after = apply_suggestions(one.spans, issues)
    assert after == tuple(span(one, *place) for place in [(0, 1, "V"), (1, 3, "R"), (4, 5, "V")])


def test_likely_gold_is_no_issue_and_a_label_that_could_not_be_given_is_none():
    one = example("add LB", (1, 2, "R"), labels=("R",))
    assert found(one, {(1, 2, "R"): 0.6, (0, 1, "V"): 0.9}, [0.1, 0.4]) == []
    assert [issue.kind for issue in found(one, {(1, 2, "R"): 0.2}, [1.0, 0.8])] == ["no_entity"]


def test_of_gaps_that_overlap_the_likeliest_is_told():
    one = example("use LB broth")
    issues = found(one, {(1, 2, "R"): 0.3, (1, 3, "R"): 0.6}, [1.0, 0.1, 0.4])
    assert [issue.suggested for issue in issues] == [span(one, 1, 3, "R")]


DATA = [
    example("add LB", (1, 2, "R")),
    example("add lb now", (1, 2, "R")),
    example("add LB broth", (1, 3, "R")),
    example("the lb there"),
    example("mix LB", (1, 2, "V"), (0, 1, "V")),
]


def test_words_that_are_not_labelled_alike_are_found_with_what_the_model_says():
    known = {DATA[3].text: 0.8, DATA[4].text: 0.3}

    def say(one):
        return {span(one, 1, 2, "R"): known.get(one.text, 0.9)}

    (one,) = find_variations(DATA, probabilities=say)
    assert (one.words, one.usual_label) == (("lb",), "R")
    # In "LB broth" the words are part of another entity, which says nothing of them.
    assert dict(one.counts) == {"R": 2, None: 1, "V": 1}
    assert [(place.label, place.usual_probability) for place in one.deviating] == [
        (None, 0.8),
        ("V", 0.3),
    ]
    assert one.score == pytest.approx(1.1)


def test_case_makes_other_words_where_it_is_asked_for_and_the_share_stands_in_for_a_model():
    (one,) = find_variations(DATA, case_sensitive=True)[:1]
    assert dict(one.counts) == {"R": 1, "V": 1}
    assert one.score == pytest.approx(0.5)
    assert find_variations(DATA[:3]) == []
