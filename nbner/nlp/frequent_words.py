"""Words that a tokenizer keeps beyond spaCy's memory zones."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from spacy.tokenizer import Tokenizer

if TYPE_CHECKING:
    from spacy.language import Language

_LOG = logging.getLogger(__name__)

_MAX_KEPT_WORDS = 20_000  # of a pipeline; about 10 MB
_MAX_WORD_LENGTH = 40  # characters of a word that is kept
_COUNTED_CHARACTERS = 2_000_000  # of a chunk, where frequent words are looked for

# Words whose tokens the tokenizer of a pipeline keeps beyond memory zones.
_kept_words: WeakKeyDictionary[Language, set[str]] = WeakKeyDictionary()


def keep_frequent_words(nlp: Language, texts: Iterable[str]) -> None:
    """Tokenize words that come several times, so that a tokenizer has them beyond memory zones.

    In a memory zone spaCy's tokenizer keeps no word, and splits each one anew
    where it comes again, which takes a tenth of the time of a small pipeline.
    Words that it has met outside of a zone stay. Their number is limited, so
    that memory does not grow with the number of texts.

    Parameters
    ----------
    nlp : Language
        The pipeline, outside of a memory zone; other tokenizers than spaCy's
        own are left alone.
    texts : iterable of str
        Such as those of the next zone.
    """
    tokenizer = nlp.tokenizer
    if type(tokenizer) is not Tokenizer or getattr(nlp.vocab, "in_memory_zone", False):
        return
    kept = _kept_words.setdefault(nlp, set())
    left = _MAX_KEPT_WORDS - len(kept)
    if left <= 0:
        return
    counts: Counter[str] = Counter()
    total = 0
    for text in texts:
        counts.update(text.split())
        total += len(text)
        if total > _COUNTED_CHARACTERS:
            break
    several = {
        word: count
        for word, count in counts.items()
        if count > 1 and len(word) <= _MAX_WORD_LENGTH and word not in kept
    }
    chosen = sorted(several, key=lambda word: -several[word])[:left]
    kept.update(chosen)
    for word in chosen:
        _try_tokenizer(tokenizer, word)


def _try_tokenizer(tokenizer: Tokenizer, word: str) -> None:
    try:
        tokenizer(word)
    except Exception:  # noqa: BLE001 - rules of any origin; the text with it will be set aside
        _LOG.debug("the tokenizer fails on %r", word, exc_info=True)
