"""Preparation of a run: from a base pipeline and gold to a pipeline before its first step.

It takes the steps that ``spacy train`` takes with the saved config, in the same
order: that is why both arrive at the same weights.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from spacy.schemas import ConfigSchemaTraining
from spacy.util import load_model_from_config, registry
from thinc.api import Config, fix_random_seed

from nbner.errors import TrainingError
from nbner.nlp import gold_docs
from nbner.nlp.config import MAX_EPOCHS, set_eval_schedule, training_config
from nbner.nlp.crf.component import CrfRecognizer
from nbner.nlp.entity_swap import COPIES, EntitySwap, entity_swap_config
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import (
    BLANK_PREFIX,
    choose_recognizer,
    clone_pipeline,
    is_trained,
    labels_of,
    loadable_from,
    recognizer_names,
    recognizer_of,
)
from nbner.training.freezing import MaskedOptimizer, Weights, frozen_weights, output_layer_ids
from nbner.training.overrides import check_overrides, named_config_errors, vector_overrides
from nbner.training.pretrained_start import WEIGHTS_FILE, PretrainedStart

if TYPE_CHECKING:
    from spacy import training
    from spacy.language import Language

    from nbner.training.run_folder import RunFolder

MAX_SEED = 2**32 - 1

Augmentation: TypeAlias = Literal["swap", "none"]
AUGMENTATIONS: tuple[Augmentation, ...] = ("swap", "none")


@dataclass(frozen=True, slots=True)
class PreparedRun:
    """A run before its first step.

    Parameters
    ----------
    nlp : Language
        The pipeline to train, a copy.
    recognizer : str
        Name of the component to train.
    config : Config
        As ``spacy train`` takes it.
    settings : dict
        The config's training section, resolved to objects.
    corpus : gold_docs.Corpus
        The examples.
    train, dev : list of spacy.training.Example
        The corpus as spaCy's pairs of docs.
    base_fingerprint : str
        Fingerprint of the pipeline that training starts from.
    random_state : IsolatedRandomState
        The random number generators of training, at the seed.
    frozen_weights : mapping, optional
        The weights that must not move, where only the last layer is trained.
    other_recognizers : tuple of str
        Names of the pipeline's recognizers that are not trained.
    """

    nlp: Language
    recognizer: str
    config: Config
    settings: dict[str, Any]
    corpus: gold_docs.Corpus
    train: list[training.Example]
    dev: list[training.Example]
    base_fingerprint: str
    random_state: IsolatedRandomState
    frozen_weights: Weights | None = None
    other_recognizers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """Settings of a run that a caller has given; None leaves them to `nbner.nlp.config`.

    Parameters
    ----------
    max_epochs, max_steps : int, optional
        0 for no limit.
    patience : int, optional
        Evaluations without a gain after which training stops; 0 for never.
    eval_frequency : int, optional
        Steps between evaluations.
    dropout : float, optional
        Between 0 and 1, 1 excluded.
    overrides : mapping
        Sections of a spaCy config; the options above go before them.
    vectors : str or Path, optional
        A pipeline whose word vectors a new recognizer uses.
    init_from : str or Path, optional
        A trained pipeline whose token-to-vector layers a new recognizer starts from;
        see `pretrained_start`.
    freeze : bool
        Train the recognizer's last layer alone; see `freezing`.
    fixed_steps : int, optional
        Train for this many update steps, at least 2, and keep the last weights
        whatever they score. It goes before all other limits.
    augment : {"swap", "none"}, optional
        "swap": train on copies of the sentences too; see `nbner.nlp.entity_swap`.
    default_max_epochs : int
        Passes over the data at most, where no limit is given.
    """

    max_epochs: int | None = None
    max_steps: int | None = None
    patience: int | None = None
    eval_frequency: int | None = None
    dropout: float | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    vectors: str | Path | None = None
    init_from: str | Path | None = None
    freeze: bool = False
    fixed_steps: int | None = None
    augment: Augmentation | None = None
    default_max_epochs: int = MAX_EPOCHS

    def __post_init__(self) -> None:
        if self.dropout is not None and not 0 <= self.dropout < 1:
            raise TrainingError(f"dropout={self.dropout} is not from 0 and below 1.")
        counts = {
            "max_epochs": self.max_epochs,
            "max_steps": self.max_steps,
            "patience": self.patience,
        }
        for name, value in counts.items():
            if value is not None and value < 0:
                raise TrainingError(f"{name}={value} is below 0; 0 sets no limit.")
        check_augmentation(self.augment)


def check_augmentation(augment: str | None) -> None:
    """Raise where there is no such augmentation.

    Parameters
    ----------
    augment : str, optional
        The caller's choice; None for the learner's own.

    Raises
    ------
    TrainingError
        It names those there are.
    """
    if augment is not None and augment not in AUGMENTATIONS:
        named = ", ".join(repr(one) for one in AUGMENTATIONS)
        raise TrainingError(f"there is no augment={augment!r}; there are {named}.")


def prepare_run(
    base: Language,
    corpus: gold_docs.Corpus,
    folder: RunFolder,
    *,
    seed: int,
    options: TrainingOptions,
) -> PreparedRun:
    """Build the pipeline to train, and write its training data.

    Parameters
    ----------
    base : Language
        The pipeline to start from; it is not changed.
    corpus : gold_docs.Corpus
        The examples to train and evaluate on.
    folder : RunFolder
        ``train.spacy``, ``dev.spacy`` and, where needed, the base are written
        to it.
    seed : int
        Seed of training.
    options : TrainingOptions
        The caller's settings.

    Raises
    ------
    TrainingError
        The pipeline has no recognizer or a random field, an override does not
        fit, or the folder cannot be written.
    """
    found = recognizer_of(base)
    if found is None:
        raise TrainingError("the pipeline has no entity recognizer. Load it with load_base.")
    recognizer = found[0]
    if isinstance(found[1], CrfRecognizer):
        raise TrainingError(
            f"the recognizer {recognizer!r} is a conditional random field, which spaCy's training "
            'cannot continue. Train a new spaCy recognizer in its place with init="scratch", or '
            'the random field itself anew with learner="crf".'
        )
    config = _config(base, corpus, folder, recognizer=recognizer, seed=seed, options=options)
    randomness = IsolatedRandomState(seed)
    pairs: dict[str, list[training.Example]] = {}

    def build(nlp: Language) -> list[training.Example]:
        # Needs the vocabulary, and is slow: built once, when spaCy first needs it.
        if not pairs:
            learnt = (*corpus.train, *corpus.partial_examples)
            pairs["gold"] = gold_docs.training_examples(
                nlp, learnt, corpus.labels, pipeline=corpus.pipeline
            )
            pairs["train"] = _augmented(nlp, pairs["gold"], options.augment, seed)
            pairs["dev"] = gold_docs.training_examples(
                nlp, corpus.dev, corpus.labels, pipeline=corpus.pipeline, for_evaluation=True
            )
        return pairs["train"]

    with randomness, named_config_errors(options.overrides):
        nlp = load_model_from_config(config, auto_fill=True)
        section = nlp.config.interpolate()["training"]
        settings = registry.resolve(section, schema=ConfigSchemaTraining)
        _initialize(nlp, config, settings, lambda: build(nlp))
    others = tuple(one for one in recognizer_names(nlp) if one != recognizer)
    if others:
        choose_recognizer(nlp, recognizer)
    train = build(nlp)
    with folder.guard_writes():
        gold_docs.write_docbin(pairs["gold"], folder.path / "train.spacy")
        gold_docs.write_docbin(pairs["dev"], folder.path / "dev.spacy")
    frozen = None
    if options.freeze:
        frozen = frozen_weights(nlp, recognizer)
        settings["optimizer"] = MaskedOptimizer(
            settings["optimizer"], output_layer_ids(nlp, recognizer)
        )
    return PreparedRun(
        nlp=nlp,
        recognizer=recognizer,
        config=config,
        settings=settings,
        corpus=corpus,
        train=train,
        dev=pairs["dev"],
        base_fingerprint=fingerprint(base),
        # `spacy train` seeds once more between preparing and training.
        random_state=IsolatedRandomState(seed),
        frozen_weights=frozen,
        other_recognizers=others,
    )


def _augmented(
    nlp: Language, gold: list[training.Example], augment: Augmentation | None, seed: int
) -> list[training.Example]:
    """Return the training examples as ``spacy train`` reads them: with their copies."""
    if augment != "swap":
        return gold
    swap = EntitySwap.from_docs([one.reference for one in gold], seed=seed)
    return [one for example in gold for one in swap(nlp, example)]


def _config(
    base: Language,
    corpus: gold_docs.Corpus,
    folder: RunFolder,
    *,
    recognizer: str,
    seed: int,
    options: TrainingOptions,
) -> Config:
    config = training_config(
        base,
        recognizer=recognizer,
        source=_source(base, corpus, folder, recognizer=recognizer, seed=seed),
        continued=is_trained(base),
        seed=seed,
        folder=folder.path,
    )
    part = config["components"][recognizer]
    overrides = Config(dict(options.overrides))
    sourced = [name for name, one in config["components"].items() if "source" in one]
    check_overrides(overrides, base, recognizer, sourced)
    if options.vectors is not None:
        config = config.merge(
            vector_overrides(options.vectors, base, recognizer, continued="source" in part)
        )
        part = config["components"][recognizer]
    start = _pretrained_start(config, base, recognizer, options)
    weights = folder.path.resolve() / WEIGHTS_FILE
    if start is not None:
        config = start.apply(config, recognizer, weights)
        part = config["components"][recognizer]
    if corpus.has_incorrect_spans and "source" not in part:
        part["incorrect_spans_key"] = gold_docs.INCORRECT_SPANS_KEY
    config = config.merge(overrides)
    if start is not None:
        with IsolatedRandomState(seed), folder.guard_writes():
            start.write(config, recognizer, weights)
    for name in ("max_epochs", "max_steps", "dropout"):
        if getattr(options, name) is not None:
            config["training"][name] = getattr(options, name)
    own = overrides.get("training", {})
    # Only the number of tokens matters here, so any that exist are used.
    sized = [
        one.tokens or base.make_doc(one.text) for one in (*corpus.train, *corpus.partial_examples)
    ]
    if options.augment == "swap":
        config["corpora"]["train"]["augmenter"] = entity_swap_config()
        sized = [one for one in sized for _ in range(1 + COPIES)]
    set_eval_schedule(
        config,
        sized,
        patience=options.patience,
        eval_frequency=options.eval_frequency or own.get("eval_frequency"),
        max_epochs=options.default_max_epochs,
        limits=[
            name
            for name in ("max_epochs", "max_steps")
            if name in own or getattr(options, name) is not None
        ],
    )
    if options.patience is None and "patience" in own:
        config["training"]["patience"] = own["patience"]
    if options.fixed_steps is not None:
        _fix_steps(config, options.fixed_steps)
    return config


def _fix_steps(config: Config, steps: int) -> None:
    """Make a config, for ``spacy train`` too, end after a number of steps with its last weights."""
    training = config["training"]
    # spaCy evaluates after the first step and numbers it 0; a limit of 0 would be none.
    last = max(steps, 2) - 1
    training |= {"max_epochs": 0, "max_steps": last, "patience": 0, "eval_frequency": last}
    # Every evaluation scores 0, and of equal ones spaCy keeps the last as the best model.
    weights = training["score_weights"]
    training["score_weights"] = {name: one and 0.0 for name, one in weights.items()}


def _pretrained_start(
    config: Config, base: Language, recognizer: str, options: TrainingOptions
) -> PretrainedStart | None:
    """Return the layers that a new recognizer starts from; None for new ones."""
    if options.init_from is None:
        return None
    if options.vectors is not None:
        raise TrainingError(
            "init_from= takes over layers, and vectors= would change them. Leave one of them out."
        )
    return PretrainedStart.from_pipeline(
        options.init_from,
        base,
        recognizer,
        continued="source" in config["components"][recognizer],
        overrides=options.overrides,
    )


def _source(
    base: Language, corpus: gold_docs.Corpus, folder: RunFolder, *, recognizer: str, seed: int
) -> str | None:
    """Return where this run and ``spacy train`` load the base from; save it where needed.

    It is saved where it is nowhere on disk, and where its trained recognizer
    needs labels or a setting that the config of a sourced component cannot hold.
    """
    base = _prepared_base(base, corpus, recognizer=recognizer, seed=seed)
    origin = loadable_from(base)
    if origin is None:
        origin = str(folder.path / "base")
        with folder.guard_writes():
            base.to_disk(origin)
    return None if origin.startswith(BLANK_PREFIX) else origin


def _prepared_base(
    base: Language, corpus: gold_docs.Corpus, *, recognizer: str, seed: int
) -> Language:
    """Return a copy with the corpus's labels and incorrect spans, or the base where it has them."""
    if not is_trained(base):
        return base
    has_key = base.get_pipe(recognizer).cfg.get(  # type: ignore[attr-defined]
        "incorrect_spans_key"
    )
    needs_key = corpus.has_incorrect_spans and has_key != gold_docs.INCORRECT_SPANS_KEY
    if set(corpus.labels) <= set(labels_of(base)) and not needs_key:
        return base
    prepared = clone_pipeline(base)
    component: Any = prepared.get_pipe(recognizer)
    if needs_key:
        component.cfg["incorrect_spans_key"] = gold_docs.INCORRECT_SPANS_KEY
        component.moves.cfg["neg_key"] = gold_docs.INCORRECT_SPANS_KEY
    with IsolatedRandomState(seed):
        # spaCy would add new labels as it meets them, in the order of a set.
        for label in corpus.labels:
            component.add_label(label)
    return prepared


def _initialize(
    nlp: Language,
    config: Config,
    settings: dict[str, Any],
    examples: Callable[[], list[training.Example]],
) -> None:
    """Initialize the weights of new components; those that are continued keep theirs."""
    sourced = {name for name, part in config["components"].items() if "source" in part}
    continued = sourced - set(settings["frozen_components"])
    optimizer = settings["optimizer"]
    if continued:
        with nlp.select_pipes(enable=list(continued)):
            nlp.resume_training(sgd=optimizer)
    with nlp.select_pipes(disable=list(sourced)):
        nlp.initialize(examples, sgd=optimizer)


# Random numbers.


class IsolatedRandomState:
    """Replaces the state of Python's and NumPy's global generators while it is entered.

    spaCy draws from the global generators. Between two steps of training the
    notebook may draw from them as well. Training and notebook each have their
    own state, so that neither changes the numbers of the other.

    Parameters
    ----------
    seed : int
        Between 0 and 2**32 - 1, the range of NumPy's seeds.

    Raises
    ------
    TrainingError
        The seed is out of range.
    """

    def __init__(self, seed: int) -> None:
        if not 0 <= seed <= MAX_SEED:
            raise TrainingError(f"the seed {seed} is not between 0 and {MAX_SEED:,}.")
        self._seed = seed
        self._outside: tuple[Any, Any] = _generator_states()
        self._inside: tuple[Any, Any] | None = None

    def __enter__(self) -> None:
        self._outside = _generator_states()
        if self._inside is None:
            fix_random_seed(self._seed)
        else:
            _set_generator_states(self._inside)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._inside = _generator_states()
        _set_generator_states(self._outside)


def _generator_states() -> tuple[Any, Any]:
    # NumPy's legacy generator is the one that spaCy and thinc draw from.
    return random.getstate(), np.random.get_state()  # noqa: NPY002


def _set_generator_states(states: tuple[Any, Any]) -> None:
    random.setstate(states[0])
    np.random.set_state(states[1])  # noqa: NPY002
