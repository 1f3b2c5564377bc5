"""What the README shows runs as it stands."""

import functools
import re
from pathlib import Path

from nbner import Session

README = Path(__file__).parents[2] / "README.md"


def test_the_snippets_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # Two epochs show that it runs; how good it gets is the benchmarks' business.
    brief = functools.partialmethod(Session.train, max_epochs=2, progress=False)
    monkeypatch.setattr(Session, "train", brief)
    snippets = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    names = {}
    for snippet in snippets:
        exec(compile(snippet, "README.md", "exec"), names)
    assert (tmp_path / "cooking.spacy").is_file()
    assert list(names["frame"].columns[:3]) == ["example", "start", "end"]
    names["session"].close()
