"""One object that holds the work: it joins the rooms and has no algorithm of its own."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet

from nbner.errors import DataError
from nbner.faces.anchoring import Anchored
from nbner.faces.deciding import Deciding
from nbner.faces.decoding import Decoding
from nbner.faces.hand import Hand
from nbner.faces.keeping import Keeping
from nbner.faces.layers import Layers
from nbner.faces.measuring import Measuring
from nbner.faces.parity import Comparing
from nbner.faces.quizzing import Quizzing
from nbner.faces.teaching import Teaching
from nbner.faces.team import Team
from nbner.faces.tokenizing import Tokenizing
from nbner.faces.transfer import Transferring
from nbner.queues.labelling import Switchboard
from nbner.store.store import Store
from nbner.teaching.quiz.storage import check_no_quizzes

if TYPE_CHECKING:
    from nbner.faces.summary import Summary
    from nbner.widgets.annotator import Annotator
    from nbner.widgets.error_explorer import ErrorExplorer


class Session(
    Measuring,
    Hand,
    Anchored,
    Deciding,
    Decoding,
    Comparing,
    Transferring,
    Layers,
    Keeping,
    Team,
    Tokenizing,
    Teaching,
    Quizzing,
):
    """Label, train, correct, predict and evaluate one dataset.

    Everything is kept in the store: a session made again with the same store
    and dataset goes on where the last one stood, with the last trained model.

    Parameters
    ----------
    dataset : str
        A name inside the store.
    labels : sequence of str, optional
        Entity types in the order of their keys. By default those that the
        dataset has, and new ones as the data brings them.
    model : str or Path
        "blank:en" (any spaCy language code), a packaged pipeline or a folder.
    store : str or Path
        A SQLite file, made if it is not there; ":memory:"; or a database URL.
    annotator : str, optional
        Who answers here. By default the login name.
    seed : int
        For everything random.

    Raises
    ------
    StoreError
        The store is not one, is newer than this version, or cannot be opened.
    ModelError
        The model cannot be loaded.
    DataError
        A label is empty or given twice.

    Examples
    --------
    >>> session = Session("demo", labels=["Tool"], store=":memory:")
    >>> session.add(["Whisk the eggs with a fork."]).added
    1
    """

    def __init__(
        self,
        dataset: str = "default",
        *,
        labels: Sequence[str] | None = None,
        model: str | Path = "blank:en",
        store: str | Path = "nbner.db",
        annotator: str | None = None,
        seed: int = 0,
    ) -> None:
        from nbner.decoding.lattice_cache import KeptLattices
        from nbner.nlp.pipeline import load_base
        from nbner.training.model_store import Shelf

        checked = None if labels is None else _checked(labels)
        self.annotator = annotator or _login()
        self.seed = seed
        self._base = load_base(model)
        self._store = Store(store)
        self._dataset = self._store.dataset(dataset)
        check_no_quizzes(self._dataset)
        self._shelf = Shelf(self._dataset, store)
        self._labels_follow_data = checked is None
        self._switchboard = Switchboard()
        self._annotators: WeakSet[Annotator] = WeakSet()
        self._explorers: WeakSet[ErrorExplorer] = WeakSet()
        self._lattices = KeptLattices()
        if checked is not None:
            self._dataset.set_labels(checked)
        self._nlp = self._shelf.newest() or self._base
        self._load_rules()
        self._shelf.put_calibration(self._nlp)

    def __enter__(self) -> Session:  # noqa: PYI034 - typing.Self is newer than Python 3.10
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _beside(self, store: str | Path) -> Session:
        """Make a session with the same labels, base model and seed in another store."""
        made = Session(
            self.dataset, labels=self.labels, store=store, annotator=self.annotator, seed=self.seed
        )
        if made._nlp is made._base:
            made._nlp = self._base
        made._base = self._base
        return made

    @property
    def summary(self) -> Summary:
        """How it stands: splits, labels and model; ``summary.frame`` has the counts."""
        from nbner.faces.summary import Summary

        return Summary(
            dataset=self.dataset,
            store=self._store.url,
            splits={name: self.counts(name) for name in self._dataset.splits()},
            labels=self.labels,
            model=self._model_name(),
        )

    def __repr__(self) -> str:
        return str(self.summary)

    def _repr_html_(self) -> str:
        return self.summary._repr_html_()

    def _model_name(self) -> str:
        from nbner.nlp.fingerprint import fingerprint
        from nbner.nlp.pipeline import is_trained

        if not is_trained(self._nlp):
            return "not trained yet: session.train()"
        return f"{self._nlp.lang} pipeline {fingerprint(self._nlp)}, trained"


def _checked(labels: Sequence[str]) -> tuple[str, ...]:
    """Take a list of labels, or say what is wrong with it."""
    if isinstance(labels, str):
        raise DataError(
            f"labels= takes a list, not the text {labels!r}", remedy=f"labels=[{labels!r}]"
        )
    checked = tuple(labels)
    bad = [one for one in checked if not isinstance(one, str) or not one.strip()]
    if bad:
        raise DataError(f"{bad[0]!r} is not the name of a label", field="labels")
    twice = sorted({one for one in checked if checked.count(one) > 1})
    if twice:
        raise DataError(f"the label {twice[0]!r} is given twice", field="labels")
    return checked


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        # A container may run under a number that has no name.
        return "annotator"
