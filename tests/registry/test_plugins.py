"""Extension points, tried with a tiny package that is installed from a wheel."""

import json
import os
import subprocess
import sys
import zipfile
from textwrap import dedent

import pytest

import nbner
from nbner import DataError, Example, Parse, Session, Span

REGISTRIES = ("readers", "writers", "suggesters", "query_strategies", "decoders", "scorers")

PLUGIN = '''
"""A gazetteer, a format and a few more, as a user would package them."""

from nbner import Example, Parse, Span


def read_pipes(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        before, name, after = line.split("|")
        start = len(before)
        spans = [{"start": start, "end": start + len(name), "label": "TOOL"}]
        yield {"text": before + name + after, "spans": spans, "answer": "accept"}


def write_lengths(examples, path):
    lengths = [str(len(one.text)) for one in examples]
    path.write_text(",".join(lengths), encoding="utf-8")
    return len(lengths)


def gazetteer(examples):
    for one in examples:
        start = one.text.find("fork")
        yield [] if start < 0 else [Span(start, start + 4, "TOOL")]


def longest_first(examples):
    return sorted(range(len(examples)), key=lambda i: -len(examples[i].text))


def nothing(nlp, examples, k):
    for _ in examples:
        yield [Parse(1.0, 0.0, ())]


def boundaries(gold, predicted):
    ends = [{(s.start, s.end) for s in one.spans} == {(s.start, s.end) for s in said}
            for one, said in zip(gold, predicted)]
    return sum(ends) / len(ends)
'''

ENTRY_POINTS = """
[nbner_readers]
pipes = tiny_plugin:read_pipes
[nbner_writers]
lengths = tiny_plugin:write_lengths
[nbner_suggesters]
gazetteer = tiny_plugin:gazetteer
[nbner_query_strategies]
longest_first = tiny_plugin:longest_first
[nbner_decoders]
nothing = tiny_plugin:nothing
[nbner_scorers]
boundaries = tiny_plugin:boundaries
"""

TEXTS = ["Whisk it.", "Beat the eggs with a fork.", "Stir with a fork."]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Install the package into a folder of its own, and return the folder."""
    folder = tmp_path_factory.mktemp("plugin")
    wheel = folder / "tiny_plugin-1.0-py3-none-any.whl"
    about = "tiny_plugin-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny_plugin.py", PLUGIN)
        archive.writestr(
            f"{about}/METADATA", "Metadata-Version: 2.1\nName: tiny_plugin\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/entry_points.txt", ENTRY_POINTS)
        archive.writestr(f"{about}/RECORD", "")
    site = folder / "site"
    command = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--quiet"]
    subprocess.run([*command, "--target", str(site), str(wheel)], check=True)
    return site


def run(installed, script):
    """Run a script where the package is installed, and return what it prints as JSON."""
    paths = os.pathsep.join([str(installed), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", dedent(script)],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_an_installed_package_adds_to_every_registry(installed):
    found = run(
        installed,
        f"""
        import json, nbner
        print(json.dumps({{one: getattr(nbner.registry, one).names() for one in {REGISTRIES}}}))
        """,
    )
    assert {"pipes", "conll"} <= set(found["readers"])
    assert {"lengths", "prodigy"} <= set(found["writers"])
    assert set(found["suggesters"]) == {"gazetteer", "model"}
    assert {"longest_first", "given", "random", "uncertainty"} <= set(found["query_strategies"])
    assert set(found["decoders"]) == {"beam", "exact", "exact_calibrated", "exact_raw", "nothing"}
    assert {"boundaries", "strict", "exact", "partial", "ent_type"} == set(found["scorers"])


def test_a_format_is_read_and_written(installed, tmp_path):
    source, target = tmp_path / "some.pipes", tmp_path / "lengths.txt"
    source.write_text("Beat it with a |fork|.\n", encoding="utf-8")
    found = run(
        installed,
        f"""
        import json, nbner
        (one,) = nbner.read({str(source)!r}, format="pipes")
        session = nbner.Session("d", store=":memory:")
        report = session.add({str(source)!r}, format="pipes")
        written = session.export({str(target)!r}, format="lengths").written
        gold = session.examples(answer="accept")
        print(json.dumps([one.text, one.spans[0].label, report.added, written, len(gold)]))
        """,
    )
    assert found == ["Beat it with a fork.", "TOOL", 1, 1, 1]
    assert target.read_text(encoding="utf-8") == "20"


def test_a_suggester_and_a_query_strategy_are_found_by_name(installed):
    found = run(
        installed,
        f"""
        import json, nbner
        session = nbner.Session("d", labels=["TOOL"], store=":memory:")
        session.add({TEXTS!r})
        widget = session.make_gold(suggest="gazetteer", strategy="longest_first", holdout=0.0)
        shown = widget.current
        print(json.dumps([shown.text, [[s.start, s.end, s.label] for s in shown.spans]]))
        """,
    )
    start = TEXTS[1].index("fork")
    assert found == [TEXTS[1], [[start, start + 4, "TOOL"]]]


def test_a_scorer_is_found_by_name(installed):
    found = run(
        installed,
        """
        import json, nbner
        gold = [nbner.Example("a fork", spans=(nbner.Span(2, 6, "TOOL"),))]
        said = [nbner.Example("a fork", spans=(nbner.Span(2, 6, "FOOD"),))]
        print(json.dumps(nbner.evaluate(gold, said, scorers=["boundaries", "ent_type"]).scores))
        """,
    )
    assert found["boundaries"] == 1.0
    assert found["ent_type"] == 0.0


def test_functions_are_taken_as_they_are():
    session = Session("d", labels=["TOOL"], store=":memory:")
    session.add(TEXTS)

    def suggest(examples):
        return [[(0, len(one.text.split()[0]), "TOOL")] for one in examples]

    widget = session.make_gold(
        suggest=suggest, strategy=lambda examples: range(len(examples))[::-1], holdout=0.0
    )
    assert widget.current.text == TEXTS[-1]
    assert [one.label for one in widget.current.spans] == ["TOOL"]


def test_a_function_gets_the_keywords_that_it_declares():
    session = Session("d", labels=["TOOL"], store=":memory:")
    session.add(TEXTS)
    seen = {}

    def strategy(examples, *, seed, annotated, nlp):
        seen.update(seed=seed, annotated=annotated, nlp=nlp)
        return range(len(examples))

    def suggest(examples, *, nlp, labels):
        seen["labels"] = labels
        return [[] for _ in examples]

    _ = session.make_gold(suggest=suggest, strategy=strategy, holdout=0.0).current
    assert seen == {"seed": 0, "annotated": [], "nlp": session.nlp, "labels": ("TOOL",)}


@pytest.mark.parametrize("registry", REGISTRIES)
def test_an_unknown_name_is_an_error_that_lists_the_registered_ones(registry):
    functions = getattr(nbner.registry, registry)
    with pytest.raises(DataError) as caught:
        functions.get("no such thing")
    assert all(name in str(caught.value) for name in functions.names())


def test_a_strategy_that_forgets_an_example_is_an_error():
    session = Session("d", labels=["TOOL"], store=":memory:")
    session.add(TEXTS)
    with pytest.raises(DataError, match="positions"):
        _ = session.make_gold(
            suggest=lambda examples: [[] for _ in examples],
            strategy=lambda examples: [0, 0],
            holdout=0.0,
        ).current


def test_a_decoder_is_taken_as_it_is(trained):
    def only_the_first(nlp, examples, k, *, max_span_length):
        assert max_span_length == 5
        for _ in examples:
            yield [Parse(1.0, 0.0, (Span(0, 5, "TOOL"),))][:k]

    found = trained.parses("Whisk it.", 4, decoder=only_the_first, max_span_length=5)
    assert [one.spans for one in found] == [(Span(0, 5, "TOOL"),)]


@pytest.fixture(scope="module")
def trained():
    session = Session("d", labels=["TOOL"], store=":memory:")
    gold = [
        Example(f"Take the {w}.", spans=(Span(9, 9 + len(w), "TOOL"),))
        for w in ("fork", "pan", "pot")
    ]
    session.add(gold, gold=True)
    session.add(gold, split="dev", gold=True)
    session.train(max_epochs=1, progress=False)
    return session


def test_installed_packages_are_searched_once_a_process(monkeypatch):
    functions = nbner.registry.readers
    names = functions.names()
    monkeypatch.setattr("nbner.registry.entry_points", pytest.fail)
    assert functions.names() == names
    assert functions.get("conll")
    assert "table" in functions
