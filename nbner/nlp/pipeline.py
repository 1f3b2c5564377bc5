"""Pipelines: loading, cloning, their entity recognizer, and docs from examples.

A pipeline is a spaCy ``Language`` with an entity recognizer, ``ner``,
``beam_ner`` or ``nbner_crf``, at any position and under any name. Of several
recognizers one is trained and decoded: the first, or the one that
`choose_recognizer` has set.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

import spacy
from spacy.language import Language
from spacy.lookups import Lookups
from spacy.pipeline import EntityRecognizer, EntityRuler, SpanRuler
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc
from spacy.ty import ListenedToComponent
from spacy.util import (
    get_model_meta,
    get_words_and_spaces,
    is_package,
    load_config,
    load_model_from_config,
)

from nbner._common.serialization import find_lone_surrogate
from nbner.errors import DataError, ModelError
from nbner.io.docbin import tokens_from_doc
from nbner.nlp.config import blank_config, recognizer_config
from nbner.nlp.crf.component import CrfRecognizer
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.transformers import missing_packages
from nbner.types import Example, Token

if TYPE_CHECKING:
    from spacy.vocab import Vocab

_LOG = logging.getLogger(__name__)

#: Prefix of the names of new pipelines, as in "blank:en".
BLANK_PREFIX = "blank:"

#: Key of a pipeline's meta under which the name of the chosen recognizer is kept.
RECOGNIZER_KEY = "nbner_recognizer"

#: A component that recognizes entities: spaCy's transition system, or the random field.
Recognizer: TypeAlias = EntityRecognizer | CrfRecognizer

_Component = TypeVar("_Component")

_RECOGNIZERS = (EntityRecognizer, CrfRecognizer)

# The exceptions that spaCy raises for a language whose packages are missing.
_LOAD_ERRORS = (OSError, ImportError, ValueError, KeyError, AttributeError, RuntimeError)

_COPY_ERRORS = (*_LOAD_ERRORS, TypeError, NotImplementedError)

# Where each pipeline was loaded from, and its fingerprint then: ``spacy train`` can start
# from there as long as the pipeline has not changed since.
_origins: WeakKeyDictionary[Language, tuple[str, str]] = WeakKeyDictionary()


def load_base(model: str | Path | Language) -> Language:
    """Load a pipeline, and add an entity recognizer if it has none.

    Parameters
    ----------
    model : str, Path or Language
        ``"blank:en"`` (or any other of spaCy's language codes), the name of an
        installed package, or a folder. A ``Language`` is copied.

    Returns
    -------
    Language
        Where the pipeline has no recognizer, an untrained one is added at the
        end.

    Raises
    ------
    ModelError
        There is no such pipeline, it cannot be loaded or copied, or its recognizer
        or what that listens to is disabled.
    """
    if isinstance(model, Language):
        _check_recognizer(model, "nlp")
        return _copy_with_recognizer(model)
    name = str(model)
    is_blank = name.startswith(BLANK_PREFIX)
    nlp = _create_blank(name.removeprefix(BLANK_PREFIX)) if is_blank else _load(name)
    _check_recognizer(nlp, f"nlp = spacy.load({name!r}); nlp")
    if recognizer_of(nlp) is None:
        nlp.add_pipe("ner", config=recognizer_config(nlp))
    path = getattr(nlp, "path", None)
    # A folder is stored by its full path: configs outlive the working directory.
    origin = str(Path(path).resolve()) if path is not None and Path(name).exists() else name
    _origins[nlp] = (origin, fingerprint(nlp))
    _LOG.debug("loaded pipeline %s (%s)", origin, _origins[nlp][1])
    return nlp


def _check_recognizer(nlp: Language, expression: str) -> None:
    """Raise where a recognizer is disabled, does not hear what it listens to, or has no name left.

    Parameters
    ----------
    nlp : Language
        The pipeline as it was given.
    expression : str
        Code of the pipeline, for the remedy.
    """
    disabled = {name: one for name, one in nlp.components if name in nlp.disabled}
    off = [name for name, one in disabled.items() if isinstance(one, _RECOGNIZERS)]
    if off and recognizer_of(nlp) is None:
        raise ModelError(
            f"the pipeline's entity recognizer {off[0]!r} is disabled. Enable it: "
            f"{expression}.enable_pipe({off[0]!r}), then Session(..., model=nlp). To start from an "
            f"untrained one instead, take it out: {expression}.remove_pipe({off[0]!r})."
        )
    if recognizer_of(nlp) is None and "ner" in nlp.component_names:
        raise ModelError(
            "the pipeline has no entity recognizer, and its component 'ner', a "
            f"{nlp.get_pipe_meta('ner').factory!r}, has the name of one. Rename it: "
            f"{expression}.rename_pipe('ner', 'other'), then Session(..., model=nlp)."
        )
    for at, (_, component) in enumerate(nlp.pipeline):
        if isinstance(component, EntityRecognizer):
            _check_upstream(nlp, at, component, expression)


def _check_upstream(nlp: Language, at: int, recognizer: EntityRecognizer, expression: str) -> None:
    """Raise where a recognizer listens to a component that does not run before it.

    spaCy predicts from zeros then, and says nothing.
    """
    name = nlp.pipe_names[at]
    heard = {other for other, one in nlp.pipeline[:at] if _is_listened_to(one)}
    silent = [
        other for other, one in nlp.components if other in nlp.disabled and _is_listened_to(one)
    ]
    for node in recognizer.model.walk():
        wanted = getattr(node, "upstream_name", None)
        if wanted is None or wanted in heard or (wanted == "*" and heard):
            continue
        off = [other for other in silent if wanted in ("*", other)]
        if off:
            raise ModelError(
                f"the recognizer {name!r} listens to {off[0]!r}, which is disabled, so that it "
                f"would find nothing. Enable it: {expression}.enable_pipe({off[0]!r}), then "
                "Session(..., model=nlp)."
            )
        raise ModelError(
            f"the recognizer {name!r} listens to {'a tok2vec' if wanted == '*' else repr(wanted)}, "
            "which does not come before it in the pipeline, so that it would find nothing. Load "
            "the pipeline without exclude=, or put the component before it."
        )


def _is_listened_to(component: object) -> bool:
    return isinstance(component, ListenedToComponent)


def _copy_with_recognizer(nlp: Language) -> Language:
    try:
        copy = clone_pipeline(nlp)
    except _COPY_ERRORS as error:
        raise ModelError(
            f"the pipeline cannot be copied: {_one_line(error)}. Every component must be a "
            "registered factory that can be serialized; save it with nlp.to_disk(folder), and "
            "give model=folder."
        ) from error
    if recognizer_of(copy) is None:
        copy.add_pipe("ner", config=recognizer_config(copy))
    return copy


def clone_pipeline(nlp: Language, *, without_weights: Collection[str] = ()) -> Language:
    """Return an independent copy of a pipeline, with its weights.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    without_weights : collection of str
        Components whose weights or rules are not copied. spaCy runs the
        components before an entity ruler while it reads the ruler's patterns,
        which an untrained one cannot take.
    """
    copy = load_model_from_config(nlp.config, auto_fill=True)
    own: Any = nlp.tokenizer
    is_read = (
        type(own) is Tokenizer
        and _is_plain(nlp.vocab)
        and _has_tokenizer(copy, own.to_bytes(exclude=["vocab"]))
    )
    kept = list(copy.vocab.strings) if is_read else []
    excluded = [*without_weights, *(["tokenizer"] if is_read else [])]
    read_bytes(copy, nlp.to_bytes(exclude=excluded))
    _add_strings(copy.vocab, kept)
    return copy


def read_bytes(nlp: Language, data: bytes) -> Language:
    """Read the weights and rules of a pipeline, and return it.

    spaCy's entity ruler makes its phrase matcher anew after it has read its patterns
    from bytes (3.8.18, ``EntityRuler.from_bytes``): it lists the patterns that are
    plain strings and matches none of them.

    Parameters
    ----------
    nlp : Language
        A pipeline with the config of the one that was written.
    data : bytes
        From ``Language.to_bytes``.
    """
    nlp.from_bytes(data)
    for _, component in nlp.components:
        if isinstance(component, EntityRuler) and not len(component.phrase_matcher):
            for label, docs in component.phrase_patterns.items():
                component.phrase_matcher.add(label, docs)
    return nlp


def pipeline_beside(nlp: Language) -> Language:
    """Return a pipeline without components that shares the tokenizer and the vocabulary.

    It costs a hundredth of a copy, most of whose time goes into the tokenizer: enough
    for a model that is trained and saved, or loaded, while somebody waits. Whoever adds
    a rule to the tokenizer of one adds it to that of both.

    Parameters
    ----------
    nlp : Language
        The pipeline; it is not changed.
    """
    beside = type(nlp)(
        nlp.vocab,
        max_length=nlp.max_length,
        meta=dict(nlp.meta),
        create_tokenizer=lambda _: nlp.tokenizer,
        batch_size=nlp.batch_size,
    )
    # What spaCy says of the components of a pipeline is worked out anew from those it has.
    config = nlp.config.copy()
    config["nlp"] |= {"pipeline": [], "disabled": []}
    config["components"] = {}
    beside.config = config
    return beside


def load_beside(path: Path, known: Language | None, factories: Collection[str]) -> Language:
    """Load a saved pipeline that shares tokenizer and vocabulary with one that is known.

    For the next model of a learner: two thirds of the time of `load_base` go into a
    tokenizer that is there already, and meanwhile no other thread runs.

    Parameters
    ----------
    path : Path
        The folder.
    known : Language, optional
        The pipeline to share with.
    factories : collection of str
        Components that need nothing of a vocabulary. A pipeline with others, or with
        another tokenizer, or with vectors or tables, is loaded as `load_base` does, and so
        is one while another thread labels a corpus in a memory zone of the known pipeline.

    Returns
    -------
    Language
        The pipeline.

    Raises
    ------
    ModelError
        As for `load_base`.
    """
    try:
        found = None if known is None else _read_beside(path, known, factories)
    except Exception as error:
        raise _unreadable(str(path), error) from error
    if found is None:
        return load_base(path)
    _origins[found] = (str(path.resolve()), fingerprint(found))
    return found


def _read_beside(path: Path, known: Language, factories: Collection[str]) -> Language | None:
    """Read a pipeline as `load_beside` does; None where it cannot share."""
    config, meta = load_config(path / "config.cfg"), get_model_meta(path)
    components: dict[str, dict[str, Any]] = config["components"]
    file = path / "tokenizer"
    is_shared = (
        # What is read while a zone is open would go with it, under another thread's hands.
        not getattr(known.vocab, "in_memory_zone", False)
        and all(one["factory"] in factories for one in components.values())
        and _language_settings(config) == _language_settings(known.config)
        and not meta.get("vectors", {}).get("vectors", True)
        and not Lookups().from_disk(path / "vocab").tables
        and file.is_file()
        and _has_tokenizer(known, file.read_bytes())
    )
    if not is_shared:
        return None
    nlp = pipeline_beside(known)
    nlp.meta = meta
    for name in config["nlp"]["pipeline"]:
        options = {key: value for key, value in components[name].items() if key != "factory"}
        nlp.add_pipe(components[name]["factory"], name=name, config=options)
    nlp.from_disk(path, exclude=["tokenizer", "vocab"])
    is_trained(nlp)
    return nlp


def _language_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a config that say what the tokenizer and the language are."""
    own = {"pipeline", "disabled"}
    return {key: value for key, value in config["nlp"].items() if key not in own}


def _has_tokenizer(nlp: Language, saved: bytes) -> bool:
    """Return whether a new pipeline's own tokenizer is the saved one already.

    Most are their language's own, and to read one takes as long as to make it: each
    of 1,347 English special cases is checked and split.

    Parameters
    ----------
    nlp : Language
        The new pipeline.
    saved : bytes
        Saved state of the tokenizer.
    """
    own: Any = nlp.tokenizer
    return (
        type(own) is Tokenizer and _is_plain(nlp.vocab) and own.to_bytes(exclude=["vocab"]) == saved
    )


def _is_plain(vocab: Vocab) -> bool:
    """Return whether the attributes of words follow from the language alone.

    With tables or vectors the special cases have to be read after them, to have their
    words' norms and ranks.
    """
    return not vocab.lookups.tables and not vocab.vectors.size


def _add_strings(vocab: Vocab, strings: Iterable[str]) -> None:
    """Add strings again that reading a vocabulary has removed."""
    for one in strings:
        vocab.strings.add(one)


def loadable_from(nlp: Language) -> str | None:
    """Return where this pipeline can be loaded again; None if it has changed since.

    Parameters
    ----------
    nlp : Language
        The pipeline.

    Returns
    -------
    str or None
        As for `load_base`.
    """
    origin, loaded = _origins.get(nlp, (None, None))
    if origin is None or loaded != fingerprint(nlp):
        return None
    return origin if origin.startswith(BLANK_PREFIX) or _exists(origin) else None


def is_pipeline_folder(path: str | Path) -> bool:
    """Return whether a folder holds a saved pipeline.

    Parameters
    ----------
    path : str or Path
        The folder.
    """
    return (Path(path) / "meta.json").is_file()


def recognizer_of(nlp: Language) -> tuple[str, Recognizer] | None:
    """Return the name and the component of the recognizer; None where there is none.

    Parameters
    ----------
    nlp : Language
        The pipeline. Of several recognizers the chosen one is returned, by
        default the first.
    """
    found = {name: one for name, one in nlp.pipeline if isinstance(one, _RECOGNIZERS)}
    chosen = nlp.meta.get(RECOGNIZER_KEY)
    name = chosen if isinstance(chosen, str) and chosen in found else next(iter(found), None)
    return None if name is None else (name, found[name])


def component_of(nlp: Language, kind: type[_Component]) -> _Component | None:
    """Return the first component of a class; None where a pipeline has none.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    kind : type
        The class.
    """
    return next((one for _, one in nlp.pipeline if isinstance(one, kind)), None)


def remove_components(nlp: Language, kind: type[object]) -> None:
    """Remove the components of a class from a pipeline.

    Parameters
    ----------
    nlp : Language
        The pipeline; modified in place.
    kind : type
        The class.
    """
    for name, component in nlp.pipeline:
        if isinstance(component, kind):
            nlp.remove_pipe(name)


def add_after_recognizer(
    nlp: Language, factory: str, kind: type[_Component], settings: Mapping[str, Any], *, act: str
) -> _Component:
    """Add a component of nbner's right after the recognizer, replacing those of its class.

    Parameters
    ----------
    nlp : Language
        The pipeline; modified in place.
    factory : str
        Name of the component's factory.
    kind : type
        Its class.
    settings : mapping
        The settings of its config.
    act : str
        What it does, as a verb, for the message.

    Raises
    ------
    ModelError
        The pipeline has no entity recognizer, or the factory's name is taken.
    """
    found = recognizer_of(nlp)
    if found is None:
        raise ModelError(f"the pipeline has no entity recognizer, so there is nothing to {act}.")
    remove_components(nlp, kind)
    added = nlp.add_pipe(factory, after=found[0], config=dict(settings))
    if not isinstance(added, kind):
        raise ModelError(f"another package has taken the name {factory!r} of the component.")
    return added


def is_crf(nlp: Language) -> bool:
    """Return whether the pipeline's recognizer is a conditional random field.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    """
    found = recognizer_of(nlp)
    return found is not None and isinstance(found[1], CrfRecognizer)


def recognizer_names(nlp: Language) -> tuple[str, ...]:
    """Return the names of all entity recognizers, in the order of the pipeline.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    """
    return tuple(name for name, one in nlp.pipeline if isinstance(one, _RECOGNIZERS))


def choose_recognizer(nlp: Language, name: str) -> None:
    """Choose which recognizer is trained and decoded; the pipeline keeps the choice in its meta.

    Parameters
    ----------
    nlp : Language
        The pipeline, whose meta is changed where it has several recognizers.
    name : str
        Name of the component.

    Raises
    ------
    ModelError
        It is not the name of a recognizer of the pipeline.
    """
    names = recognizer_names(nlp)
    if name in nlp.disabled:
        raise ModelError(
            f"the component {name!r} is disabled. Enable it before the session copies the "
            f"pipeline: nlp.enable_pipe({name!r})."
        )
    if name not in names:
        other = "is no entity recognizer" if name in nlp.pipe_names else "is not in the pipeline"
        raise ModelError(
            f"the component {name!r} {other}. Its recognizers are "
            f"{', '.join(repr(one) for one in names) or 'none'}: recognizer={(*names, 'ner')[0]!r}."
        )
    if len(names) > 1:
        nlp.meta[RECOGNIZER_KEY] = name


def entity_labels_of(nlp: Language) -> tuple[str, ...]:
    """Return the labels of all components that set entities, sorted: recognizers and rulers.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    """
    labels: set[str] = set()
    for _, component in nlp.pipeline:
        sets_entities = isinstance(component, (*_RECOGNIZERS, EntityRuler)) or (
            isinstance(component, SpanRuler) and component.annotate_ents
        )
        if sets_entities:
            labels.update(component.labels)  # type: ignore[attr-defined]
    return tuple(sorted(labels))


def labels_of(nlp: Language) -> tuple[str, ...]:
    """Return the entity labels of the pipeline's recognizer, sorted.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    """
    found = recognizer_of(nlp)
    return () if found is None else tuple(sorted(found[1].labels))


def is_trained(nlp: Language) -> bool:
    """Return whether the pipeline has a recognizer with labels and with weights.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    """
    found = recognizer_of(nlp)
    if found is None or not found[1].labels:
        return False
    if isinstance(found[1], CrfRecognizer):
        return True
    nodes = found[1].model.walk()
    return all(node.has_param(name) for node in nodes for name in node.param_names)


def tokenizer_of(nlp: Language) -> Callable[[str], tuple[Token, ...]]:
    """Return the pipeline's tokenizer as a function from text to plain tokens.

    The function raises ``DataError`` for a text that is too long for the pipeline.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    """
    return lambda text: tokens_from_doc(_make_doc(nlp, text), text)


def doc_from_example(nlp: Language, example: Example) -> Doc:
    """Build the ``Doc`` of an example, for training and for prediction.

    Tokens that came with the text are kept. Where the pipeline's own tokenizer
    finds the same tokens, its ``Doc`` is used, since it also knows the norms
    of contractions ("n't" is "not"), as it will at run time.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    example : Example
        The text, with or without tokens.

    Raises
    ------
    DataError
        The text is longer than the pipeline allows, or the example's tokens are
        not those of its text.
    """
    return doc_with_token_source(nlp, example)[0]


def doc_with_token_source(nlp: Language, example: Example) -> tuple[Doc, bool]:
    """Build a ``Doc`` as `doc_from_example`, and return whether its tokens are the example's.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    example : Example
        The text, with or without tokens.

    Returns
    -------
    (Doc, bool)
        False where the pipeline's own tokenizer finds the same tokens.
    """
    doc = _make_doc(nlp, example.text)
    if not _has_other_tokens(doc, example):
        return doc, False
    try:
        words, spaces = get_words_and_spaces([t.text for t in example.tokens], example.text)
    except ValueError as error:
        raise DataError(
            f"the tokens do not rebuild the text {example.text[:60]!r}",
            field="tokens",
            remedy="give the tokens of this text, in its order, or leave them out",
        ) from error
    return Doc(nlp.vocab, words=words, spaces=spaces), True


def _has_other_tokens(doc: Doc, example: Example) -> bool:
    if not example.pretokenized or not example.tokens:
        return False
    # Whitespace tokens are spaCy's way to keep the text whole.
    own = [(token.idx, len(token)) for token in doc if not token.is_space]
    given = [(t.start, t.end - t.start) for t in example.tokens if not t.text.isspace()]
    return own != given


def _make_doc(nlp: Language, text: str) -> Doc:
    try:
        return nlp.make_doc(text)
    except ValueError as error:
        at = find_lone_surrogate(text)
        if at is not None:
            raise DataError(
                f"character {at} of the text {text[:60]!r} is half of a pair ({text[at]!r})",
                field="text",
                remedy="The text was cut inside an emoji, or joined from pieces of UTF-16; "
                "leave that character out",
            ) from error
        if len(text) <= nlp.max_length:
            raise
        raise DataError(
            f"a text of {len(text):,} characters is longer than the pipeline takes "
            f"({nlp.max_length:,})",
            field="text",
            remedy="cut the text, or raise session.nlp.max_length",
        ) from error


def _create_blank(lang: str) -> Language:
    try:
        spacy.util.get_lang_class(lang)
    except ImportError as error:
        raise ModelError(
            f"spaCy knows no language {lang!r}. Use one of its codes, such as "
            '"blank:en" or, for a mixture, "blank:xx": https://spacy.io/usage/models#languages'
        ) from error
    try:
        return load_model_from_config(blank_config(lang), auto_fill=True)
    except _LOAD_ERRORS as error:
        raise ModelError(
            f"{BLANK_PREFIX}{lang} needs more than spaCy itself: {_one_line(error)}. Install what "
            "is missing, or use another tokenizer's language, such as blank:xx."
        ) from error


def _load(name: str) -> Language:
    if not _exists(name):
        raise ModelError(
            f"there is no model {name!r}: no installed package and no folder has that name. "
            f"Install a packaged one with `python -m spacy download {name}`, check the path, or "
            'start from an untrained one: model="blank:en".'
        )
    try:
        nlp = spacy.load(name) if is_package(name) else _load_folder(Path(name))
        # Damage that loading passes over shows here, and not later in a person's work.
        is_trained(nlp)
        fingerprint(nlp)
    except Exception as error:
        # A damaged file raises whatever its format's library raises: no list is complete.
        raise _unreadable(name, error) from error
    return nlp


def _unreadable(name: str, error: Exception) -> ModelError:
    missing = missing_packages(name)
    if missing:
        return ModelError(
            f"the model {name!r} has a transformer and needs {' and '.join(missing)}, which "
            f"brings PyTorch: pip install {' '.join(missing)}. A pipeline without one, such "
            "as en_core_web_sm, needs neither."
        )
    return ModelError(
        f"the model {name!r} cannot be loaded: {_one_line(error) or type(error).__name__}. "
        "Check that it is a whole "
        f"pipeline, made for spaCy {spacy.about.__version__} (`python -m spacy validate`), and "
        "that the packages it needs are installed. A session opens without it: "
        'model="blank:en".'
    )


def _load_folder(path: Path) -> Language:
    """Load a pipeline as ``spacy.load`` does, without reading the tokenizer that it has already."""
    meta = get_model_meta(path)
    nlp = load_model_from_config(load_config(path / "config.cfg"), meta=meta)
    file = path / "tokenizer"
    is_read = (
        not Lookups().from_disk(path / "vocab").tables
        and not meta.get("vectors", {}).get("vectors", True)
        and file.is_file()
        and _has_tokenizer(nlp, file.read_bytes())
    )
    kept = list(nlp.vocab.strings) if is_read else []
    nlp.from_disk(path, exclude=["tokenizer"] if is_read else [])
    _add_strings(nlp.vocab, kept)
    return nlp


def _exists(name: str) -> bool:
    return is_package(name) or Path(name).exists()


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")
