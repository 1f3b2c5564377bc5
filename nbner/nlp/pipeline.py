"""Pipelines: found by name, given a recognizer, and asked for tokens.

A pipeline is a spaCy ``Language`` with one component that sets entities,
``ner`` or ``beam_ner``, wherever it stands and whatever it is called.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import spacy
from spacy.pipeline import EntityRecognizer
from spacy.tokens import Doc
from spacy.util import get_words_and_spaces, load_model_from_config

from nbner.errors import DataError, ModelError
from nbner.io.docbin import tokens_from_doc
from nbner.nlp.config import blank_config, recognizer_config
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.transformers import missing_packages
from nbner.types import Example, Token

if TYPE_CHECKING:
    from spacy.language import Language

BLANK_PREFIX = "blank:"

# Whatever spaCy raises for a pipeline that is missing, broken or too new.
LOADING = (OSError, ImportError, ValueError, KeyError, AttributeError, RuntimeError)

# Where a pipeline was loaded from, and what it was like then: training starts
# from there as long as the pipeline has not been changed by hand since.
_origins: WeakKeyDictionary[Language, tuple[str, str]] = WeakKeyDictionary()


def load_base(model: str | Path) -> Language:
    """Find a pipeline and see to it that it has an entity recognizer.

    Parameters
    ----------
    model : str or Path
        ``"blank:en"`` (or any other of spaCy's language codes), the name of an
        installed package, or a folder.

    Returns
    -------
    Language
        Where the pipeline has no recognizer, an untrained one is added at the
        end.

    Raises
    ------
    ModelError
        There is no such pipeline, or it cannot be loaded; with the remedy.
    """
    name = str(model)
    nlp = _blank(name.removeprefix(BLANK_PREFIX)) if name.startswith(BLANK_PREFIX) else _load(name)
    if recognizer_of(nlp) is None:
        nlp.add_pipe("ner", config=recognizer_config(nlp))
    path = getattr(nlp, "path", None)
    # A folder is kept by its full path: configs outlive the working directory.
    origin = str(Path(path).resolve()) if path is not None and Path(name).exists() else name
    _origins[nlp] = (origin, fingerprint(nlp))
    return nlp


def clone_pipeline(nlp: Language) -> Language:
    """Make a pipeline of one's own that does the same; what is done to it leaves ``nlp`` alone."""
    return load_model_from_config(nlp.config, auto_fill=True).from_bytes(nlp.to_bytes())


def loadable_from(nlp: Language) -> str | None:
    """Name where this very pipeline can be loaded again; None if it has changed since."""
    origin, before = _origins.get(nlp, (None, None))
    if origin is None or before != fingerprint(nlp):
        return None
    return origin if origin.startswith(BLANK_PREFIX) or _is_there(origin) else None


def is_pipeline_folder(path: str | Path) -> bool:
    """Whether a folder is a pipeline that was saved."""
    return (Path(path) / "meta.json").is_file()


def recognizer_of(nlp: Language) -> tuple[str, EntityRecognizer] | None:
    """Give the component that sets entities, with its name; None where there is none."""
    for name, component in nlp.pipeline:
        if isinstance(component, EntityRecognizer):
            return name, component
    return None


def labels_of(nlp: Language) -> tuple[str, ...]:
    """Give the entity labels that the pipeline's recognizer knows, sorted."""
    found = recognizer_of(nlp)
    return () if found is None else tuple(sorted(found[1].labels))


def is_trained(nlp: Language) -> bool:
    """Whether the pipeline has a recognizer with labels and with weights."""
    found = recognizer_of(nlp)
    if found is None or not found[1].labels:
        return False
    nodes = found[1].model.walk()
    return all(node.has_param(name) for node in nodes for name in node.param_names)


def tokenizer_of(nlp: Language) -> Callable[[str], tuple[Token, ...]]:
    """Give the pipeline's tokenizer as a function from text to plain tokens.

    The function raises ``DataError`` for a text that the pipeline cannot take.
    """
    return lambda text: tokens_from_doc(_make_doc(nlp, text), text)


def doc_from_example(nlp: Language, example: Example) -> Doc:
    """Make the ``Doc`` that the pipeline works on, in training and in prediction.

    Tokens that came with the text are kept. Where the pipeline's own tokenizer
    finds the same tokens, its ``Doc`` is used, since it also knows the norms
    of contractions ("n't" is "not"), as it will at run time.

    Raises
    ------
    DataError
        The text is longer than the pipeline takes, or the example's tokens are
        not those of its text.
    """
    return doc_with_token_source(nlp, example)[0]


def doc_with_token_source(nlp: Language, example: Example) -> tuple[Doc, bool]:
    """Make a ``Doc`` as `doc_from_example`, and say whether its tokens came with the example.

    False where the pipeline's own tokenizer makes the same.
    """
    doc = _make_doc(nlp, example.text)
    if not _differs(doc, example):
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


def _differs(doc: Doc, example: Example) -> bool:
    if not example.pretokenized or not example.tokens:
        return False
    # Tokens of whitespace are spaCy's way to keep the text whole.
    ours = [(token.idx, len(token)) for token in doc if not token.is_space]
    given = [(t.start, t.end - t.start) for t in example.tokens if not t.text.isspace()]
    return ours != given


def _make_doc(nlp: Language, text: str) -> Doc:
    try:
        return nlp.make_doc(text)
    except ValueError as error:
        if len(text) <= nlp.max_length:
            raise
        raise DataError(
            f"a text of {len(text):,} characters is longer than the pipeline takes "
            f"({nlp.max_length:,})",
            field="text",
            remedy="cut the text, or raise session.nlp.max_length",
        ) from error


def _blank(lang: str) -> Language:
    try:
        spacy.util.get_lang_class(lang)
    except ImportError as error:
        raise ModelError(
            f"spaCy knows no language {lang!r}. Use one of its codes, such as "
            '"blank:en" or, for a mixture, "blank:xx": https://spacy.io/usage/models#languages'
        ) from error
    try:
        return load_model_from_config(blank_config(lang), auto_fill=True)
    except LOADING as error:
        raise ModelError(
            f"{BLANK_PREFIX}{lang} needs more than spaCy itself: {_one_line(error)}. Install what is "
            "missing, or use another tokenizer's language, such as blank:xx."
        ) from error


def _load(name: str) -> Language:
    if not _is_there(name):
        raise ModelError(
            f"there is no model {name!r}: no installed package and no folder has that name. "
            f"Install a packaged one with `python -m spacy download {name}`, check the path, or "
            'start from an untrained one: model="blank:en".'
        )
    try:
        return spacy.load(name)
    except LOADING as error:
        missing = missing_packages(name)
        if missing:
            raise ModelError(
                f"the model {name!r} has a transformer and needs {' and '.join(missing)}, which "
                f"brings PyTorch: pip install {' '.join(missing)}. A pipeline without one, such "
                "as en_core_web_sm, needs neither."
            ) from error
        raise ModelError(
            f"the model {name!r} cannot be loaded: {_one_line(error)}. Check that it is a whole "
            f"pipeline, made for spaCy {spacy.about.__version__} (`python -m spacy validate`), and "
            "that the packages it needs are installed."
        ) from error


def _is_there(name: str) -> bool:
    return spacy.util.is_package(name) or Path(name).exists()


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")
