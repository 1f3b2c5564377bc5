"""Fingerprints: short hashes of a pipeline's config and weights.

The same pipeline has the same fingerprint in every process, before and after
it is saved. State that changes in use is left out: the strings of a vocabulary
and their order, paths, and batch sizes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sized
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary
from zlib import crc32

import numpy as np
import srsly
from thinc.api import Model
from thinc.backends import get_array_ops

from nbner.nlp.crf.component import CrfRecognizer

if TYPE_CHECKING:
    from spacy.language import Language

_LENGTH = 12  # hexadecimal digits
_SAMPLE_SIZE = 64  # values read of each array to detect a change

# Fingerprints by pipeline, each with the checksum that was current when it was computed.
_cache: WeakKeyDictionary[Language, tuple[int, str]] = WeakKeyDictionary()


def fingerprint(nlp: Language) -> str:
    """Return the fingerprint of a pipeline.

    Parameters
    ----------
    nlp : Language
        The pipeline.

    Returns
    -------
    str
        The first 12 hexadecimal digits of a SHA-256 over the language, the
        tokenizer, the components' configs, their labels or rules, and every
        weight. Computed once (10 ms for a small pipeline), and again when a
        checksum of samples (0.2 ms) shows that the pipeline has changed.
    """
    checksum = _checksum(nlp)
    cached = _cache.get(nlp)
    if cached is None or cached[0] != checksum:
        cached = _cache[nlp] = (checksum, _digest(nlp))
    return cached[1]


def _digest(nlp: Language) -> str:
    digest = hashlib.sha256(_settings(nlp))
    digest.update(_rules(nlp.tokenizer, serialize=_serialize_kept))
    vectors = nlp.vocab.vectors
    if vectors.data.size:
        ops = get_array_ops(vectors.data)  # type: ignore[no-untyped-call]
        digest.update(_bytes(vectors.data, ops))
    for name, component in nlp.pipeline:
        digest.update(name.encode())
        model = getattr(component, "model", None)
        if isinstance(model, Model):
            digest.update(json.dumps(sorted(getattr(component, "labels", ()))).encode())
            for part in _weights(model):
                digest.update(part)
        elif isinstance(component, CrfRecognizer):
            # As they are: labels and features are lists whose order matters.
            digest.update(component.to_bytes())
        else:
            digest.update(_rules(component))
    return digest.hexdigest()[:_LENGTH]


def _settings(nlp: Language) -> bytes:
    config = nlp.config.interpolate()
    settings = {
        "lang": nlp.lang,
        "pipeline": nlp.pipe_names,
        "tokenizer": config["nlp"]["tokenizer"],
        # A disabled component changes nothing.
        "components": {name: config["components"][name] for name in nlp.pipe_names},
    }
    return json.dumps(settings, sort_keys=True, default=str).encode()


def _serialize(packed: bytes) -> bytes:
    """Serialize the packed state of a component again, with its sets sorted."""
    try:
        state = srsly.msgpack_loads(packed)
    except ValueError:
        return packed
    return json.dumps(_sorted_state(state), sort_keys=True, default=repr).encode()


#: For the states of tokenizers, most of which are their language's own: two thirds of what
#: a fingerprint takes. Rules of components may be large, and are seldom the same.
_serialize_kept = lru_cache(maxsize=4)(_serialize)


def _rules(component: Any, *, serialize: Callable[[bytes], bytes] = _serialize) -> bytes:
    """Serialize a component without weights, with its sets sorted."""
    if not hasattr(component, "to_bytes"):
        return b""
    packed: bytes = component.to_bytes(exclude=["vocab"])
    return serialize(packed)


def _sorted_state(state: Any) -> Any:
    if isinstance(state, dict):
        return {str(key): _sorted_state(value) for key, value in state.items()}
    if isinstance(state, (list, tuple)):
        # A list of strings may have been a set, whose order is arbitrary.
        are_strings = all(isinstance(one, str) for one in state)
        return sorted(state) if are_strings else [_sorted_state(one) for one in state]
    return state


def _weights(model: Model[Any, Any]) -> Iterator[bytes]:
    for node in model.walk():
        for name in sorted(node.param_names):
            yield f"{node.name}.{name}".encode()
            if node.has_param(name):
                yield _bytes(node.get_param(name), node.ops)
        # Layers of other frameworks keep their weights in a shim.
        yield from (_shim_bytes(shim) for shim in node.shims)


def _shim_bytes(shim: Any) -> bytes:
    return bytes(shim.to_bytes())


def _bytes(array: Any, ops: Any) -> bytes:
    return np.ascontiguousarray(ops.to_numpy(array)).tobytes()


def _checksum(nlp: Language) -> int:
    """Compute a CRC-32 over the pipeline's shape and a sample of each array."""
    # A special case that takes another one's place is a new list under the same word.
    rules = hash(tuple(map(id, (getattr(nlp.tokenizer, "rules", None) or {}).values())))
    infixes = getattr(getattr(nlp.tokenizer, "infix_finditer", None), "__self__", None)
    value = crc32(repr((nlp.pipe_names, rules, getattr(infixes, "pattern", ""))).encode())
    for _, component in nlp.pipeline:
        size = len(component) if isinstance(component, Sized) else 0
        labels = len(getattr(component, "labels", ()))
        value = crc32(repr((id(component), size, labels)).encode(), value)
        if isinstance(component, CrfRecognizer):
            value = crc32(component.sample_bytes(_SAMPLE_SIZE), value)
        model = getattr(component, "model", None)
        if not isinstance(model, Model):
            continue
        for node in model.walk():
            for name in node.param_names:
                if node.has_param(name):
                    array = node.get_param(name)
                    sample = array.ravel()[:: max(1, array.size // _SAMPLE_SIZE)]
                    value = crc32(_bytes(sample, node.ops), value)
    return value
