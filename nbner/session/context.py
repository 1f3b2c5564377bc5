"""Shared state of a session: dataset, store, models and open widgets.

A module function that takes a `Session` reads its context from the public
attribute ``session.context``, which ``dir(session)`` leaves out. Accessors
inherit from `Accessor` and read ``self._context``. What several accessors need
is a function over a context: suggestions and the annotation widget in
`suggestions`, the error explorer in `errors`, training data and runs in
`training`, checks of the data in `data_warnings`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from weakref import WeakSet

from nbner._common.colors import label_colors
from nbner.errors import DataError, ModelError
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import entity_labels_of, is_trained, tokenizer_of
from nbner.nlp.rename_label import rename_labels
from nbner.nlp.tokenizer_rules import rules_from_json, set_rules
from nbner.queues.labelling import AnswerBus, ensure_tokens
from nbner.store.dataset import Dataset
from nbner.store.store import Store
from nbner.training.model_places import FORMER_KEY
from nbner.types import AnswerKind, Example, Span, Token

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.decoding.lattice_view import LatticeCache
    from nbner.training.model_store import ModelStore
    from nbner.widgets.annotator import Annotator
    from nbner.widgets.error_explorer import ErrorExplorer

_LOG = logging.getLogger(__name__)

#: Setting: the rules that were added to the tokenizer.
TOKENIZER_SETTING = "tokenizer rules"


@dataclass(eq=False)
class SessionContext:
    """State that `Session` and its accessors share.

    `Session` builds one and hands it to each accessor. Everything that more
    than one of them needs is a public attribute or method here, so that no
    accessor reads another one's private attributes.

    Attributes
    ----------
    store, dataset : Store, Dataset
        The database, and the dataset of this session in it.
    annotator : str
        Name under which answers are stored.
    seed : int
        Seed of everything random.
    base_nlp : Language
        The pipeline that the session was given; training starts from it.
    nlp : Language
        The pipeline in use: the last one trained, or ``base_nlp``.
    nlp_before_new_labels : Language or None
        The pipeline in use before `Session.add_labels` resized its output
        layer. Training resizes it itself.
    model_store : ModelStore
        Saved models of the dataset.
    labels_follow_data : bool
        Whether labels that arrive with data are added to the session's.
    answer_bus : AnswerBus
        Announces answers to all open widgets.
    lattice_cache : LatticeCache
        Lattices of the examples suggested last.
    hidden_labels : tuple of str
        Labels of the dataset that this session was opened without.
    chosen_colors : mapping of str to str
        Colors of labels that the user has chosen.
    annotators, explorers : WeakSet
        Open widgets.
    model_names : dict of str to str
        Names, in plain words, of models that were trained while the annotator
        labelled, by their fingerprints.
    renamed_models : dict of str to str
        Fingerprints of models whose labels were renamed, or whose tokenizer got or lost
        rules, with those that they had before.
    relabelled_models : dict of str to str
        Of these the ones whose labels were renamed: with the same tokenizer, and so with
        the same probabilities.
    run_scores : dict of str to (float, tuple of str, float or None)
        Time, fingerprints and F of the training runs, by their ids. Each record is
        read once: it is long, and these three never change.
    end_learning : callable, optional
        Ends the training behind the widget that was opened last with
        ``learn=True``.
    """

    store: Store
    dataset: Dataset
    annotator: str
    seed: int
    base_nlp: Language
    nlp: Language
    model_store: ModelStore
    labels_follow_data: bool
    lattice_cache: LatticeCache
    answer_bus: AnswerBus = field(default_factory=AnswerBus)
    nlp_before_new_labels: Language | None = None
    hidden_labels: tuple[str, ...] = ()
    chosen_colors: Mapping[str, str] = field(default_factory=dict)
    annotators: WeakSet[Annotator] = field(default_factory=WeakSet)
    explorers: WeakSet[ErrorExplorer] = field(default_factory=WeakSet)
    model_names: dict[str, str] = field(default_factory=dict)
    renamed_models: dict[str, str] = field(default_factory=dict)
    relabelled_models: dict[str, str] = field(default_factory=dict)
    run_scores: dict[str, tuple[float, tuple[str, ...], float | None]] = field(default_factory=dict)
    end_learning: Callable[[], None] | None = None

    def __post_init__(self) -> None:
        self.answer_bus.colors = self.chosen_colors
        self._name_sources()
        if self.hidden_labels:
            self.answer_bus.labels = self.labels
        self._log_model()

    @property
    def colors(self) -> dict[str, str]:
        """The color of every label, the same in widgets, plots and reports."""
        return label_colors(self.labels, self.chosen_colors)

    @property
    def labels(self) -> tuple[str, ...]:
        """The entity types, in the order of their keys.

        Where neither the session nor the data names any, those of the trained
        pipeline in use: of its recognizers and its rulers.
        """
        stored = tuple(one for one in self.dataset.labels if one not in self.hidden_labels)
        if stored or not self.labels_follow_data or not is_trained(self.nlp):
            return stored
        return entity_labels_of(self.nlp)

    def store_labels(self) -> None:
        """Store the labels as the dataset's where it has none, since they can be given now."""
        if not self.dataset.labels and (labels := self.labels):
            self.dataset.set_labels(labels)

    def tokenize(self, text: str) -> tuple[Token, ...]:
        """Return the tokens of a text as the pipeline in use splits it.

        Parameters
        ----------
        text : str
            Not empty where the pipeline cannot take empty texts.

        Raises
        ------
        DataError
            The pipeline cannot take the text.
        """
        return tokenizer_of(self.nlp)(text)

    def tokenized(self, example: Example) -> Example:
        """Return an example with its tokens.

        Parameters
        ----------
        example : Example
            Tokens that it has are kept.
        """
        return ensure_tokens(example, self.tokenize)

    def examples(
        self, split: str | None = None, *, answer: AnswerKind | None = None
    ) -> list[Example]:
        """Return the tokenized examples of a split, in the order of addition.

        Parameters
        ----------
        split : str, optional
            By default all splits.
        answer : {"accept", "reject", "ignore"}, optional
            Only examples with this current answer.
        """
        return [self.tokenized(one) for one in self.dataset.examples(split, answer=answer)]

    def require_split(self, split: str | None) -> None:
        """Raise where examples are wanted of a split that does not exist.

        Parameters
        ----------
        split : str, optional
            None, or "train" before anything was added, is never an error.

        Raises
        ------
        DataError
            It names the splits that there are.
        """
        if split is None:
            return
        if not isinstance(split, str):
            raise DataError(
                f"a split is a name, such as 'train', and this is {type(split).__name__}",
                field="split",
                remedy="Add texts first, session.add(texts, split='new'), and name their split",
            )
        names = self.dataset.splits()
        if split in names or (not names and split == "train"):
            return
        has = f"the splits are: {', '.join(names)}" if names else "nothing was added so far"
        raise DataError(
            f"there is no split {split!r}; {has}",
            field="split",
            remedy=f"Add to it with session.add(..., split={split!r}), or correct the name",
        )

    def gold(self, split: str, *, accepted_unseen: bool = False) -> list[Example]:
        """Return the accepted examples of a split whose spans are complete gold.

        Parameters
        ----------
        split : str
            Answers to binary tasks are left out.
        accepted_unseen : bool
            Whether answers count that were accepted in bulk, by the model's
            probability: a model that is measured on them is measured on itself.

        Raises
        ------
        DataError
            Nothing is accepted in the split, or only in bulk.
        """
        gold = [one for one in self.examples(split, answer="accept") if not one.binary]
        if not accepted_unseen:
            seen = [one for one in gold if not one.accepted_unseen]
            if gold and not seen:
                raise DataError(
                    f"all that is accepted in split {split!r} was accepted in bulk by a model's "
                    "probability, and nobody has looked at it: it is no gold to measure against",
                    field="split",
                    remedy=f"Label some there with session.make_gold(split={split!r})",
                )
            gold = seen
        if not gold:
            names = self.dataset.splits()
            has = "" if split in names else f"; the splits are: {', '.join(names) or 'none'}"
            raise DataError(
                f"nothing is accepted in split {split!r}, so there is no gold to measure against"
                f"{has}",
                remedy=f"Add some with session.add(..., split={split!r}), or label there with "
                f"session.manual(split={split!r})",
            )
        return gold

    def accepted_spans(self, example: Example) -> tuple[Span, ...] | None:
        """Return the spans of the accepted answer to a text; None if there is none.

        Parameters
        ----------
        example : Example
            Its own answer counts where it has one; otherwise the newest current
            answer of the dataset to the same text. Binary answers do not count.
        """
        if example.answer is not None:
            return None if example.answer != "accept" or example.binary else example.spans
        for _, answer in reversed(self.dataset.history(example.text) or []):
            found = self.dataset.find(answer.input_hash, answer.split)
            if found is not None and found.answer == "accept" and not found.binary:
                return found.spans
        return None

    def undo_batch(self, batch_id: str) -> int:
        """Undo answers that were given as one batch, and return the number of examples.

        Parameters
        ----------
        batch_id : str
            Id of the batch. Where a newer answer follows, that stays.
        """
        done = self.dataset.undo_batch(batch_id)
        self.answer_bus.publish(())
        return len(done)

    def update_labels(self) -> None:
        """Make all open widgets offer the current labels."""
        self.answer_bus.labels = self.labels
        for widget in list(self.annotators):
            widget.update_labels()

    def refresh_annotators(self) -> None:
        """Make all open annotators load their examples again."""
        for widget in list(self.annotators):
            widget.refresh()

    def activate(self, nlp: Language, *, refresh: bool = True) -> None:
        """Use a pipeline from now on; open widgets load new suggestions.

        A pipeline that was trained, or saved, before a label was renamed gives the
        new name, and one from before a tokenizer rule was added or undone splits texts
        as the others do.

        Parameters
        ----------
        nlp : Language
            Not copied, unless one of its labels was renamed; its tokenizer gets the
            rules of the dataset.
        refresh : bool
            Whether open annotators load their examples again, also the one on
            display.
        """
        self.nlp = self.with_present_labels(nlp)
        self.set_tokenizer_rules()
        self._log_model()
        self.nlp_before_new_labels = None
        self._name_sources()
        for widget in list(self.annotators):
            widget.update_labels()
        if refresh:
            self.lattice_cache.clear()
            self.refresh_annotators()
        for explorer in list(self.explorers):
            explorer.mark_stale()

    def with_present_labels(self, nlp: Language) -> Language:
        """Return a pipeline under the present names of its labels.

        Parameters
        ----------
        nlp : Language
            The pipeline; not changed. Returned itself where no label of it was
            renamed, or where it must be trained again to take the new name, as after
            two labels were merged.
        """
        try:
            renamed = rename_labels(nlp, self.dataset.renamed_labels)
        except ModelError as error:
            _LOG.debug("a model keeps the old name of a label: %s", error)
            return nlp
        self.note_renamed(nlp, renamed)
        return renamed

    @property
    def trained_fingerprint(self) -> str:
        """Fingerprint of the model in use as it was trained, before a label was renamed."""
        found = fingerprint(self.nlp)
        return self.renamed_models.get(found, found)

    def is_in_use(self, model: str) -> bool:
        """Return whether a model is the one in use, whatever its labels are named by now.

        Parameters
        ----------
        model : str
            Fingerprint of the model, at any time of this session.
        """
        found, names = fingerprint(self.nlp), self.relabelled_models
        return names.get(found, found) == names.get(model, model)

    def former_label_notices(self) -> tuple[str, ...]:
        """Return a sentence for each label that the model in use gives under a former name.

        After two labels were merged a model that tells them apart does so.
        """
        present = self.dataset.renamed_labels
        return tuple(
            f"The model in use gives {label!r}, which is {present[label]!r} now: session.train() "
            "trains one that knows the new name"
            for label in entity_labels_of(self.nlp)
            if label in present
        )

    def note_renamed(self, nlp: Language, renamed: Language) -> None:
        """Know a pipeline with renamed labels as the model that it was, such as the learner's.

        Parameters
        ----------
        nlp, renamed : Language
            The pipeline, and its copy under the new names.
        """
        if renamed is nlp:
            return
        found, now = fingerprint(nlp), fingerprint(renamed)
        self._note_same(found, now)
        if now != found:
            self.relabelled_models[now] = self.relabelled_models.get(found, found)

    def _note_same(self, found: str, now: str) -> None:
        if now == found:
            return
        self.renamed_models[now] = self.renamed_models.get(found, found)
        if found in self.model_names:
            self.model_names.setdefault(now, self.model_names[found])

    def set_tokenizer_rules(self, *others: Language) -> None:
        """Set the tokenizer rules of the dataset in the pipeline in use.

        A model that was saved before a rule was added, or undone, splits texts as the
        others do.

        Parameters
        ----------
        others : Language
            Pipelines that get them too.

        Raises
        ------
        ModelError
            There are rules, and the tokenizer does not work by rules.
        """
        settings = self.dataset.settings
        rules = rules_from_json(settings.get(TOKENIZER_SETTING, []))
        # Also those that were undone, which an older model may still have.
        ever = [
            rule
            for _, value in settings.history(TOKENIZER_SETTING)
            for rule in rules_from_json(value)
        ]
        if not ever:
            return
        former = fingerprint(self.nlp)
        for nlp in (*others, self.nlp):
            set_rules(nlp, rules, instead_of=dict.fromkeys(ever))
        self._note_same(former, fingerprint(self.nlp))

    def note_changed_tokenizer(self, former: str, saved: str | None) -> None:
        """Know the model in use as the one that it was, after its tokenizer got or lost rules.

        Parameters
        ----------
        former : str
            Its fingerprint before.
        saved : str, optional
            Present fingerprint of its folder, another one where a label was renamed; None
            for a model that was not saved.
        """
        now = fingerprint(self.nlp)
        if former in self.model_names:
            self.model_names.setdefault(now, self.model_names[former])
        if saved is not None and saved != now and former in self.renamed_models:
            self.renamed_models[now] = saved
        self.run_scores.clear()
        self._name_sources()

    def model_name(self, nlp: Language) -> str:
        """Return the source of a pipeline's suggestions: its fingerprint, or its name in words.

        Parameters
        ----------
        nlp : Language
            The pipeline.
        """
        found = fingerprint(nlp)
        return self.model_names.get(found, found)

    def _name_sources(self) -> None:
        """Name the models of this dataset by their time and their F, for annotators."""
        for run in self.dataset.runs(without=self.run_scores):
            best = run["record"].get("best")
            f = best.get("f") if isinstance(best, Mapping) else None
            self.run_scores[run["id"]] = (
                run["created"],
                (*run["record"].get(FORMER_KEY, ()), run["fingerprint"]),
                f,
            )
        names: dict[str, str] = {}
        for created, sources, f in self.run_scores.values():
            when = datetime.fromtimestamp(created).astimezone()
            day = "" if when.date() == datetime.now().astimezone().date() else f"{when:%d %b} "
            score = "" if f is None else f", F {f:.2f}".replace("0.", ".")
            name = f"model of {day}{when:%H:%M}{score}"
            names |= dict.fromkeys(sources, name)
        self.answer_bus.source_names = names

    def _log_model(self) -> None:
        # A pipeline that was not loaded from a folder has no path.
        _LOG.debug(
            "model in use for %r: %s (%s), %s",
            *(self.dataset.name, self.nlp.lang, ", ".join(self.nlp.pipe_names)),
            self.nlp.path or "not from a folder",
        )


class Accessor:
    """Base class of the groups of methods on a session, such as ``session.model``.

    Parameters
    ----------
    context : SessionContext
        State that all groups share with the session.
    """

    def __init__(self, context: SessionContext) -> None:
        self._context = context

    def __dir__(self) -> list[str]:
        return public_names(type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {', '.join(public_names(type(self)))}"


def public_names(kind: type, *, without: frozenset[str] = frozenset()) -> list[str]:
    """Return the names of a class that do not begin with an underscore, sorted.

    Parameters
    ----------
    kind : type
        Its base classes count too.
    without : frozenset of str
        Names to leave out.
    """
    names = {name for one in kind.__mro__ for name in vars(one) if not name.startswith("_")}
    return sorted(names - without)
