"""``make_gold(review="set")``: conformal sets of analyses as a budget for review."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import isinf
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from nbner._common.progress import ProgressBar
from nbner.active_learning import strategies
from nbner.active_learning.ranked_dataset import RankedDataset
from nbner.decoding import api
from nbner.errors import DataError
from nbner.nlp.fingerprint import fingerprint
from nbner.quality.confident_suggestions import BulkBackend
from nbner.queues.labelling import Suggester, is_draft
from nbner.queues.set_review import AnalysisChoice, ShownSet
from nbner.reranking.coverage.report import Coverage
from nbner.reranking.coverage.review import SetReview, TextWithSet, review_order
from nbner.reranking.coverage.study import DEFAULT_METHOD, FEW, SINGLE, size_group
from nbner.session import annotation
from nbner.session.confident import accept_examples, open_examples
from nbner.session.context import SessionContext
from nbner.session.coverage import measure_coverage
from nbner.session.suggestions import HOLDOUT, adviser, redecode, suggestion_order
from nbner.types import Example, Parse

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner._common.surroundings import ContextColumns
    from nbner.store.assignments import Overlap
    from nbner.widgets.annotator import Annotator

LargeSets: TypeAlias = Literal["first", "last"]
ALPHA = 0.05
LARGE_SETS: LargeSets = "first"
#: Name of the order in stored answers: texts that it chose calibrate nothing later.
STRATEGY = "set size"


@dataclass(frozen=True, slots=True)
class _Size:
    size: int
    is_complete: bool
    probability: float
    example: Example

    @property
    def group(self) -> str:
        return size_group(self.size, is_complete=self.is_complete)


def check_review_options(
    review: str | None, alpha: float, large_sets: str, **others: object
) -> None:
    """Raise where options of a review contradict each other or other options.

    Parameters
    ----------
    review : {"set"}, optional
        Whether sets are reviewed.
    alpha, large_sets : float, str
        Options of a review alone.
    **others : object
        Options that a review cannot have, with their values; those that are set
        are true.

    Raises
    ------
    DataError
        It names the option.
    """
    if review is None:
        given = {"alpha": alpha != ALPHA, "large_sets": large_sets != LARGE_SETS}
        for name in (name for name, is_given in given.items() if is_given):
            raise DataError(
                f"{name}= is an option of a review of sets",
                field=name,
                remedy=f'Say review="set" too, or leave {name}= out',
            )
        return
    for name in (name for name, is_given in others.items() if is_given):
        raise DataError(
            f'{name}= does not go with review="set", whose suggestions and order are those of '
            "the calibrated sets of the model in use",
            field=name,
            remedy=f"Leave {name}= or review= out",
        )


def open_set_review(
    context: SessionContext,
    split: str,
    *,
    alpha: float,
    large_sets: LargeSets,
    holdout: float | None,
    redecode: bool,
    overlap: Overlap | None,
    columns: ContextColumns | None,
    daily_target: int | None,
    open_annotator: Callable[[], Annotator],
) -> Annotator:
    """Build the widget of a review of sets.

    Parameters
    ----------
    context : SessionContext
        Its model in use is calibrated, and suggests.
    split : str
        The split to label.
    alpha : float
        Accepted risk, between 0 and 1.
    large_sets : {"first", "last"}
        When large and incomplete sets come.
    holdout : float, optional
        Fraction of examples that are kept aside at random; by default a tenth.
    redecode, overlap, columns, daily_target : optional
        As for ``Session.make_gold``.
    open_annotator : callable
        Opens the plain make-gold widget of the split.

    Raises
    ------
    DataError, ModelError
        As `calibrate_review`.
    """
    sets = calibrate_review(context, split, alpha=alpha)
    dataset, in_holdout = sets.dataset(holdout=holdout, large_sets=large_sets)
    listed = sets.review(in_holdout=in_holdout, open_annotator=open_annotator)
    plain = adviser(context, None, redecodes=redecode, order=suggestion_order(None))
    return annotation.open_annotator(
        context,
        split,
        "make_gold",
        sets.suggester(plain, in_holdout),
        overlap=overlap,
        dataset=dataset,
        columns=columns,
        daily_target=daily_target,
        set_of=partial(sets.shown, in_holdout=in_holdout),
        sets=listed,
    )


def calibrate_review(
    context: SessionContext, split: str, *, alpha: float, dev: str = "dev", progress: bool = True
) -> ReviewedSets:
    """Calibrate the sets of the model in use, and compute those of all open texts of a split.

    Parameters
    ----------
    context : SessionContext
        Its model in use is calibrated on the random share of held-out gold.
    split : str
        The split to label.
    alpha : float
        Accepted risk, between 0 and 1.
    dev : str
        Split of the held-out gold.
    progress : bool
        Show bars. The stop button ends without a widget.

    Raises
    ------
    DataError
        Alpha is not between 0 and 1, there is too little held-out gold, no gold has
        the model's labels, or no list reaches the level.
    ModelError
        The model has not been trained, or has no such list.
    """
    coverage = measure_coverage(context, alpha, split, dev, progress=progress)
    if isinf(coverage.thresholds.of(DEFAULT_METHOD).value):
        raise DataError(
            f"no list of {coverage.width} analyses reaches {100 * (1 - alpha):g} %: the gold of "
            f"{coverage.not_in_list:,} of {coverage.n:,} held-out texts is not in it, so that "
            "every set would be incomplete",
            field="alpha",
            remedy="Label more and train a better model first, or accept a risk of "
            f"{coverage.lowest_alpha:.3f} or more",
        )
    return ReviewedSets(context, coverage, split)


@dataclass(slots=True)
class ReviewedSets:
    """The sets of a split's open texts, of one calibrated model.

    Parameters
    ----------
    context : SessionContext
        Its model in use suggests.
    coverage : Coverage
        The calibration of that model.
    split : str
        The split to label.
    """

    context: SessionContext
    coverage: Coverage
    split: str
    _sizes: dict[int, _Size] = field(default_factory=dict)

    @property
    def is_current(self) -> bool:
        """Whether the model in use is the one that was calibrated, but for names of labels."""
        return self.context.is_in_use(self.coverage.fingerprint)

    def review(
        self,
        *,
        in_holdout: Callable[[Example], bool],
        open_annotator: Callable[[], Annotator],
        progress: bool = True,
    ) -> SetReview:
        """Compute the sets of all open texts, for the list and its bulk act.

        Parameters
        ----------
        in_holdout : callable
            Returns whether an example is kept aside for measuring.
        open_annotator : callable
            Opens the make-gold widget of the split.
        progress : bool
            Show a bar.
        """
        context = self.context
        undecided = [one for one in context.examples(self.split) if one.answer is None]
        pending = [one for one in undecided if not is_draft(one)]
        with ProgressBar(len(pending), "computing sets", "texts", visible=progress) as bar:
            self._compute(pending, bar)
        listed = [one for one in pending if not in_holdout(one)]
        found = [self._sizes[one.input_hash] for one in listed]
        mark = {"alpha": self.coverage.alpha, "model": self.coverage.fingerprint}
        return SetReview(
            tuple(TextWithSet(s.example, s.size, s.is_complete, s.probability) for s in found),
            self.coverage,
            DEFAULT_METHOD,
            self.split,
            context.answer_bus.source_names.get(
                self.coverage.fingerprint, f"model {self.coverage.fingerprint}"
            ),
            drafts=len(undecided) - len(pending),
            kept_aside=len(pending) - len(listed),
            is_current=lambda: self.is_current,
            backend=BulkBackend(
                accept=partial(accept_examples, context, mark),
                undo=context.undo_batch,
                open_widget=partial(open_examples, open_annotator),
            ),
            colors=context.colors,
        )

    def groups(self, examples: Sequence[Example]) -> list[str]:
        """Return the group of each example's set, computing those that are not known.

        Parameters
        ----------
        examples : sequence of Example
            Open examples.
        """
        unknown = [one for one in examples if one.input_hash not in self._sizes]
        self._compute([self.context.tokenized(one) for one in unknown])
        return [self._sizes[one.input_hash].group for one in examples]

    def suggester(self, plain: Suggester, in_holdout: Callable[[Example], bool]) -> Suggester:
        """Return a suggester that starts from the first analysis of a short set.

        Parameters
        ----------
        plain : Suggester
            Suggests where there is no short set.
        in_holdout : callable
            Returns whether an example is kept aside, and suggested for as usual.
        """

        def suggest(examples: Sequence[Example]) -> list[Any]:
            found = plain.suggest(examples)
            if not self.is_current:
                return found
            groups = self.groups(examples)
            return [
                self._analyses(example)[0].spans
                if group in (SINGLE, FEW) and not in_holdout(example)
                else spans
                for example, group, spans in zip(examples, groups, found, strict=True)
            ]

        return replace(plain, suggest=suggest, recall=plain.recall or plain.suggest)

    def shown(self, example: Example, in_holdout: Callable[[Example], bool]) -> ShownSet | None:
        """Return what the page shows of an open example's set; None where it is kept aside.

        Parameters
        ----------
        example : Example
            Tokenized.
        in_holdout : callable
            Returns whether an example is kept aside.
        """
        if in_holdout(example):
            return None
        level = 1 - self.coverage.alpha
        if not self.is_current:
            return ShownSet(level, 0, is_complete=False, is_current=False)
        (group,) = self.groups([example])
        known = self._sizes[example.input_hash]
        choices: tuple[AnalysisChoice, ...] = ()
        if group in (SINGLE, FEW):
            choices = tuple(
                AnalysisChoice(f"analysis {rank}", one.spans, one.probability)
                for rank, one in enumerate(self._analyses(example), start=1)
            )
        return ShownSet(level, known.size, known.is_complete, choices=choices)

    def _analyses(self, example: Example) -> list[Parse]:
        """Return the analyses of a short set, each once where labels are hidden."""
        size = self._sizes[example.input_hash].size
        # One analysis alone would be the one that the model decides for.
        listed = redecode(self.context, example, max(2, size), (), ())[:size]
        return list({one.spans: one for one in reversed(listed)}.values())[::-1]

    def _compute(self, examples: Sequence[Example], bar: ProgressBar | None = None) -> None:
        """Compute the sets of examples."""
        nlp, coverage = self.context.nlp, self.coverage
        known = set(self.context.labels)
        lists = api.parses(
            nlp,
            examples,
            coverage.width,
            decoder=coverage.decoder,
            max_span_length=api.MAX_SPAN_LENGTH,
        )
        for example, listed in zip(
            examples, lists if bar is None else bar.wrap(lists), strict=True
        ):
            found = coverage.analysis_set(listed)
            spans = tuple(one for one in listed[0].spans if one.label in known)
            self._sizes[example.input_hash] = _Size(
                len(found.parses),
                found.is_complete,
                listed[0].probability,
                replace(example, spans=spans),
            )

    def dataset(
        self, *, holdout: float | None, large_sets: LargeSets
    ) -> tuple[RankedDataset, Callable[[Example], bool]]:
        """Return the dataset in the order of the sets, and what is kept aside in it.

        Parameters
        ----------
        holdout : float, optional
            Fraction of examples that are kept aside at random; by default a tenth.
        large_sets : {"first", "last"}
            Whether large and incomplete sets come before the few to choose from.
        """
        context = self.context
        share = HOLDOUT if holdout is None else holdout
        if not 0 <= share < 1:
            raise DataError(
                f"{share} is not a share of random examples",
                field="holdout",
                remedy="Give a number from 0 and below 1, such as holdout=0.1",
            )

        def in_holdout(example: Example) -> bool:
            return strategies.in_holdout(example, share, context.seed)

        def rank(examples: Sequence[Example], _model: Language | None) -> list[int]:
            held_out = [one.input_hash for one in examples if in_holdout(one)]
            others = [one for one in examples if not in_holdout(one)]
            # Of sets that are out of date nothing is known any more.
            order = list(range(len(others)))
            if self.is_current:
                order = review_order(self.groups(others), large_first=large_sets == "first")
            return strategies.interleave([others[i].input_hash for i in order], held_out, share)

        ranked = RankedDataset(
            context.dataset,
            STRATEGY,
            rank=rank,
            version=lambda: fingerprint(context.nlp),
            in_holdout=in_holdout,
            holdout=share,
        )
        return ranked, in_holdout
