"""Issues and variations of gold, over probabilities that are given."""

import pytest

from nbner._common.alignment import join_words
from nbner.quality.consistency import find_variations
from nbner.quality.label_doubt import RARE
from nbner.quality.label_issues import (
    HeldOutProbabilities,
    apply_suggestions,
    find_label_issues,
    issues_of_examples,
    pool_probabilities,
    rank_issues,
)
from nbner.quality.label_issues_report import LabelIssues
from nbner.quality.word_evidence import FAR_WEIGHT, MAX_WEIGHT, NEAR, PRIOR_WEIGHT, WordEvidence
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
    assert [round(issue.margin, 2) for issue in issues] == [0.9, 0.75, 0.5, 0.3]
    assert [round(issue.score, 2) for issue in issues] == [0.95, 0.82, 0.65, 0.5]
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


# The same words at other places.


def counts(examples, number, gold, suggested):
    one = examples[number]
    places = (None if place is None else span(one, *place) for place in (gold, suggested))
    return WordEvidence(examples).count(number, *places)


TEAMS = [
    example("Chicago lost", (0, 1, "LOC")),
    example("CHICAGO won", (0, 1, "ORG")),
    example("in Chicago now", (1, 2, "ORG")),
    example("University of Chicago", (0, 3, "ORG")),
    example("to Chicago", (1, 2, "MISC")),
]


def test_places_with_the_same_words_are_counted_by_their_annotation():
    found = counts(TEAMS, 0, (0, 1, "LOC"), (0, 1, "ORG"))
    # Inside "University of Chicago" the words say nothing about Chicago alone.
    assert (found.words, found.like_gold, found.like_suggested, found.otherwise) == (
        *("Chicago", 0, 2, 1),
    )
    assert found.total == 3
    assert found.weights == (0, 2, 1)
    gold, suggested = found.update(0.5, 0.3)
    assert gold == pytest.approx(PRIOR_WEIGHT * 0.5 / (3 + PRIOR_WEIGHT))
    assert suggested == pytest.approx((2 + PRIOR_WEIGHT * 0.3) / (3 + PRIOR_WEIGHT))


def test_borders_are_compared_where_the_longer_words_occur():
    texts = [
        example("the White House said", (0, 3, "ORG")),
        example("at the White House", (2, 4, "ORG")),
        example("White House", (0, 2, "ORG")),
        example("the White House", (0, 3, "LOC")),
    ]
    found = counts(texts, 0, (0, 3, "ORG"), (1, 3, "ORG"))
    assert (found.words, found.like_gold, found.like_suggested, found.otherwise) == (
        *("the White House", 0, 1, 1),
    )
    # A longer entity does not become doubtful because a word of it stands alone elsewhere.
    assert counts(TEAMS, 3, (0, 3, "ORG"), (2, 3, "LOC")).total == 0


def test_places_without_an_entity_speak_for_none_and_others_for_a_missed_one():
    texts = [
        example("the Treaty"),
        example("the treaty", (1, 2, "MISC")),
        example("treaty", (0, 1, "MISC")),
        example("no treaty"),
    ]
    missed = counts(texts, 0, None, (1, 2, "MISC"))
    assert (missed.like_gold, missed.like_suggested, missed.otherwise) == (1, 2, 0)
    gone = counts(texts, 1, (1, 2, "MISC"), None)
    assert (gone.like_gold, gone.like_suggested, gone.otherwise) == (1, 2, 0)


def test_near_places_count_more_and_all_together_no_more_than_the_most():
    texts = [example("Rome", (0, 1, "LOC")), *[example("no words")] * NEAR]
    texts += [example("Rome", (0, 1, "ORG"))]
    assert counts(texts, 0, (0, 1, "LOC"), (0, 1, "ORG")).weights == (0, FAR_WEIGHT, 0)
    many = [example("Rome", (0, 1, label)) for label in ["LOC"] * 6 + ["ORG"] * 3]
    found = counts(many, 0, (0, 1, "LOC"), (0, 1, "ORG"))
    assert (found.like_gold, found.like_suggested) == (5, 3)
    assert found.weights == pytest.approx((MAX_WEIGHT * 5 / 8, MAX_WEIGHT * 3 / 8, 0))


def test_a_label_that_the_models_do_not_think_of_is_suggested_by_the_words():
    evidence = WordEvidence(TEAMS)
    likely = {span(TEAMS[0], 0, 1, "LOC"): 0.6}
    outside = [0.3, 1.0]
    assert find_label_issues(TEAMS[0], likely, outside) == []
    (issue,) = find_label_issues(TEAMS[0], likely, outside, words=evidence)
    assert (issue.kind, issue.suggested.label, issue.signals) == ("other_label", "ORG", ("words",))
    assert issue.reason == (
        "models for gold: average 0.60 to 0.00; “Chicago” is ORG at 2 of 3 other places"
    )


# Several learners.


def said(one, probabilities, outside):
    spans = {span(one, a, b, label): value for (a, b, label), value in probabilities.items()}
    return HeldOutProbabilities(spans, outside)


def test_learners_are_averaged_with_equal_weight_and_each_is_told():
    one = example("see Rome", (1, 2, "ORG"))
    crf = [
        said(one, {(1, 2, "LOC"): 0.9}, [1.0, 0.1]),
        said(one, {(1, 2, "LOC"): 0.7, (1, 2, "ORG"): 0.1}, [1.0, 0.2]),
    ]
    ner = [said(one, {(1, 2, "ORG"): 0.55, (1, 2, "LOC"): 0.25}, [1.0, 0.2])]
    pooled = pool_probabilities(crf)
    assert pooled.spans == pytest.approx(
        {span(one, 1, 2, "LOC"): 0.8, span(one, 1, 2, "ORG"): 0.05}
    )
    assert list(pooled.outside) == pytest.approx([1.0, 0.15])
    (issue,), _ = issues_of_examples([one], {"crf": [[m] for m in crf], "ner": [ner]})
    assert (issue.gold_probability, issue.suggested_probability) == pytest.approx((0.3, 0.525))
    assert issue.signals == ("models",)
    assert issue.reason == "models for LOC: crf 0.05 to 0.80; models for gold: ner 0.55 to 0.25"


def test_a_label_that_all_learners_contradict_is_told_once_and_its_spans_come_last():
    texts = [example(f"the thing{i} {i}", (1, 2, "MISC"), (2, 3, "NUM")) for i in range(RARE)]
    by_learner = {
        name: [[said(one, {(2, 3, "NUM"): 1.0}, [1.0, 0.97, 0.0]) for one in texts]]
        for name in ("crf", "ner")
    }
    wrong = {(2, 3, "NUM"): 0.2, (2, 3, "MISC"): 0.6}
    for members in by_learner.values():
        members[0][3] = said(texts[3], wrong, [1.0, 0.97, 0.2])
    found, doubts = issues_of_examples(texts, by_learner)
    assert [(one.label, one.contradicted, one.is_doubted) for one in doubts] == [
        ("MISC", RARE, True),
        ("NUM", 1, False),
    ]
    issues = rank_issues(found)
    # As sure of MISC as of any gold span of MISC, and of no entity less than elsewhere.
    assert [one.signals for one in issues] == [("models", "confidence"), *[("models",)] * RARE]
    assert (issues[0].gold.label, issues[0].is_label_doubted) == ("NUM", False)
    assert all(one.is_label_doubted for one in issues[1:])
    assert issues[1].reason.endswith("MISC is doubted as a whole")
    report = LabelIssues(tuple(issues), "train", n=RARE, n_spans=2 * RARE, folds=2, doubts=doubts)
    told = f"MISC: all learners contradict {RARE} of {RARE} spans, most often for no entity"
    assert f"{told}; look at its definition first" in str(report)
    assert report.per_label["is_doubted"].tolist() == [True, False]
    assert report.frame["reason"].tolist() == [one.reason for one in issues]
