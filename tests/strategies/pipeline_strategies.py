"""Small random models and texts, and what spaCy's own states say of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import spacy
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, Span

LABELS = ("A", "B-x")
WORDS = ("Add", "ml", "of", "LB", "5")

# What an earlier component sets in a text, by the text.
SET_BEFORE = {}


@Language.component("nbner_test_sets_entities")
def set_entities(doc):
    SET_BEFORE.get(doc.text, lambda doc: None)(doc)
    return doc


@dataclass(frozen=True)
class Kind:
    """What a recognizer can be built like."""

    extra_state_tokens: bool = False
    use_upper: bool = True
    maxout_pieces: int = 2
    shared: bool = False
    factory: str = "ner"
    unseen: bool = False
    tied: bool = False
    seed: int = 0


KINDS = (
    Kind(),
    Kind(extra_state_tokens=True),
    Kind(use_upper=False),
    Kind(use_upper=False, extra_state_tokens=True, maxout_pieces=3),
    Kind(shared=True),
    Kind(factory="beam_ner"),
    Kind(unseen=True),
    Kind(use_upper=False, unseen=True, factory="beam_ner", shared=True),
)


@cache
def pipeline(kind):
    """Build a pipeline whose weights are random; nobody trains it."""
    tok2vec = {
        "@architectures": "spacy.HashEmbedCNN.v2",
        "width": 16,
        "depth": 2,
        "embed_size": 64,
        "window_size": 1,
        "maxout_pieces": 2,
        "subword_features": True,
        "pretrained_vectors": None,
    }
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 16}
    nlp = spacy.blank("en")
    if kind.shared:
        nlp.add_pipe("tok2vec", config={"model": tok2vec})
    nlp.add_pipe("nbner_test_sets_entities")
    model = {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": "ner",
        "hidden_width": 8,
        "nO": None,
        "extra_state_tokens": kind.extra_state_tokens,
        "maxout_pieces": kind.maxout_pieces,
        "use_upper": kind.use_upper,
        "tok2vec": listener if kind.shared else tok2vec,
    }
    recognizer = nlp.add_pipe(kind.factory, config={"model": model})
    for label in LABELS:
        recognizer.add_label(label)
    nlp.initialize()
    draw = np.random.default_rng(kind.seed)
    for node in weighted(nlp):
        for name in node.param_names:
            new = draw.normal(scale=0.4, size=node.get_param(name).shape).astype("f")
            node.set_param(name, np.zeros_like(new) if kind.tied else new)
    if kind.unseen:
        recognizer.add_label("Late")
    return nlp


def weighted(nlp):
    """Give every layer of a pipeline that has weights."""
    models = [part.model for _, part in nlp.pipeline if hasattr(part, "model")]
    return [
        node
        for model in models
        for node in model.walk()
        if node.param_names and all(node.has_param(name) for name in node.param_names)
    ]


def recognizer_of(nlp):
    return next(part for _, part in nlp.pipeline if hasattr(part, "moves"))


def arrived(nlp, text):
    """Give the doc as it arrives at the recognizer."""
    doc = nlp.make_doc(text)
    for _, component in nlp.pipeline:
        if hasattr(component, "moves"):
            break
        doc = component(doc)
    return doc


@dataclass
class Walk:
    """All analyses of a doc, found by stepping through spaCy's own states."""

    nlp: Language
    doc: Doc
    normalised: bool = True
    found: dict = field(default_factory=dict)
    states: dict = field(default_factory=dict)

    def __post_init__(self):
        self.recognizer = recognizer_of(self.nlp)
        self.moves = self.recognizer.moves
        self.recognizer._ensure_labels_are_added([self.doc])
        self.names = [self.moves.get_class_name(i) for i in range(self.moves.n_moves)]
        self.step = self.recognizer.model.predict([self.doc])
        (state,) = self.moves.init_batch([self.doc])
        self._go(state, 0.0, (), None)

    def _go(self, state, score, spans, opened):
        if state.is_final():
            self.found[spans] = score
            return
        scores = self.step.predict([state])[0].astype("float64")
        valid = [i for i, name in enumerate(self.names) if self.moves.is_valid(state, name)]
        at = state.B(0)
        self.states[at, opened] = scores, {self.names[i] for i in valid}
        if valid and self.normalised:
            scores = scores - np.logaddexp.reduce(scores[valid])
        for i in valid:
            name = self.names[i]
            after = state.copy()
            self.moves.apply_transition(after, name)
            self._go(after, score + scores[i], *_taken(name, at, spans, opened))

    def ranked(self):
        return sorted(self.found.items(), key=lambda item: -item[1])


def _taken(name, at, spans, opened):
    action, label = name[0], name[2:]
    if action == "B":
        return spans, (at, label)
    if action == "L":
        # An entity keeps the label that it was opened with.
        return (*spans, (opened[0], at + 1, opened[1])), None
    if action == "U" and label:
        return (*spans, (at, at + 1, label)), None
    return spans, opened if action == "I" else None


def in_tokens(doc, spans):
    """Write spans of code points as the walk does."""
    found = [doc.char_span(span.start, span.end, label=span.label) for span in spans]
    return tuple((span.start, span.end, span.label_) for span in found)


@st.composite
def texts(draw, most=5):
    """Words with one or two spaces between: the second is a token of its own."""
    words = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=most))
    spaces = draw(
        st.lists(st.sampled_from((" ", " ", "  ")), min_size=len(words), max_size=len(words))
    )
    return "".join(word + space for word, space in zip(words, spaces, strict=True)).strip()


@st.composite
def settings_before(draw, sound=True, new=("New",)):
    """What an earlier component does: entities, blocked tokens, sentence starts.

    Where it is not ``sound``, anything that a doc can hold. ``new`` are labels
    that the recognizer does not know; it learns of them, untrained.
    """
    starts = draw(st.lists(st.sampled_from((True, False, False, None)), min_size=12, max_size=12))
    pieces = draw(
        st.lists(
            st.tuples(st.integers(1, 3), st.sampled_from((None, None, "blocked", *LABELS, *new))),
            max_size=4,
        )
    )
    iob = draw(st.lists(st.integers(0, 3), min_size=12, max_size=12))
    kinds = draw(st.lists(st.sampled_from(("", *LABELS)), min_size=12, max_size=12))
    wild = not sound and draw(st.booleans())

    def apply(doc):
        for token, start in zip(doc[1:], starts, strict=False):
            token.is_sent_start = start
        if wild:
            rows = [
                (tag, doc.vocab.strings.add(kind) if kind and tag in (1, 3) else 0)
                for tag, kind in zip(iob[: len(doc)], kinds, strict=False)
            ]
            doc.from_array(["ENT_IOB", "ENT_TYPE"], np.array(rows, dtype="uint64"))
        else:
            _set_pieces(doc, pieces)

    return apply


def _set_pieces(doc, pieces):
    at, entities, blocked = 0, [], []
    for length, label in pieces:
        end = min(at + length, len(doc))
        if at < end and label == "blocked":
            blocked.append(doc[at:end])
        elif at < end and label:
            entities.append(Span(doc, at, end, label))
        at = end
    doc.set_ents(entities, blocked=blocked, default="unmodified")


def close(a, b):
    return math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-4)


@st.composite
def weights_of_batches(draw, most=6):
    """Weights as a lattice has them, with many ties, and lengths that fall."""
    lengths = sorted(draw(st.lists(st.integers(1, most), min_size=1, max_size=4)), reverse=True)
    width, labels = draw(st.integers(1, lengths[0])), draw(st.integers(1, 3))
    seed, few = draw(st.integers(0, 2**32 - 1)), draw(st.booleans())
    random = np.random.default_rng(seed)
    shape = (len(lengths), lengths[0], width, labels + 1)
    weights = random.integers(-3, 1, shape).astype(float) if few else random.normal(size=shape)
    weights[random.random(shape) < draw(st.sampled_from((0.0, 0.3)))] = -np.inf
    weights[:, :, :-1, -1] = -np.inf  # what is outside has one token
    for a in range(width):
        weights[:, : width - 1 - a, a] = -np.inf  # nothing begins before the text
    return weights, np.array(lengths)


def segmentations(weights, length):
    """Give all analyses of one doc of such a batch, by hand: segments and score."""
    _, width, kinds = weights.shape
    found = [((), 0, 0.0)]
    finished = []
    while found:
        held, at, score = found.pop()
        if at == length:
            finished.append((held, score))
            continue
        for end in range(at, min(at + width, length)):
            for y in range(kinds):
                a = width - 1 - (end - at)
                if weights[end, a, y] > -np.inf:
                    segment = (end, a * kinds + y)
                    found.append(((*held, segment), end + 1, score + weights[end, a, y]))
    return finished
