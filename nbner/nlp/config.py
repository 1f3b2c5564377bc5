"""spaCy training configs, adjusted for small data sets and interactive use.

The differences from ``spacy init config --optimize efficiency``, each measured
on protocols (350 and 6,460 sentences, 18 labels):

- The token-to-vector layers belong to the recognizer. The weights are the same
  to the bit, and no component that is added later can change them.
- The optimizer keeps averages of the weights, with which a model is evaluated
  and saved: 0.716 in place of 0.700 F after 136,000 words.
- The learning rate from scratch is twice as high: 0.588 in place of 0.571 F at
  best on 350 sentences, and 0.627 in place of 0.591 after 32,000 words of all.
- Batches grow to 500 words at most, which keeps the steps of an epoch, and
  with them the patience, in proportion.
- There is about one evaluation an epoch, so that the curve is informative.
- Where 30 epochs are fewer than 400 steps, steps bound the run in their place:
  30 epochs of 80 sentences are 189 steps, and end before the patience can.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Sized
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from spacy.cli.init_config import init_config
from spacy.util import get_lang_class, registry

from nbner.nlp.transformers import own_optimizer_settings, transformers_of

if TYPE_CHECKING:
    from spacy.language import Language
    from thinc.api import Config

LEARN_RATE = 0.002
_LEARN_RATE_CONTINUED = 0.001
_MAX_BATCH_WORDS = 500
MAX_EPOCHS = 30
_SMALL_RUN_STEPS = 400  # a run whose epochs are fewer steps than this gets this many
_PATIENCE = 4  # evaluations without an improvement
_MIN_PATIENCE = 200  # steps: a handful of examples needs many epochs
_EVAL_STEPS = (20, 250)  # bounds of the steps between evaluations

_COPY_FROM_BASE = "spacy.copy_from_base_model.v1"


def blank_config(lang: str) -> Config:
    """Build the config of a new pipeline whose only component is the recognizer.

    Parameters
    ----------
    lang : str
        One of spaCy's language codes.
    """
    config = _initial_config(lang, cast("Hashable", get_lang_class(lang))).copy()
    tok2vec = config["components"].pop("tok2vec")["model"]
    tok2vec["embed"]["width"] = tok2vec["encode"]["width"]
    config["components"]["ner"]["model"]["tok2vec"] = tok2vec
    config["nlp"]["pipeline"] = ["ner"]
    return config


@lru_cache(maxsize=8)
def _initial_config(lang: str, language: Hashable) -> Config:
    """Return what ``spacy init config`` writes, which takes 0.13 s; not to be changed.

    Parameters
    ----------
    lang : str
        One of spaCy's language codes.
    language : type
        The class with that code: another one may be registered under it later.
    """
    del language
    return init_config(lang=lang, pipeline=["ner"], optimize="efficiency", gpu=False)


def recognizer_config(nlp: Language) -> dict[str, Any]:
    """Build the config of a new recognizer for a pipeline without one.

    Parameters
    ----------
    nlp : Language
        The pipeline; its language and its static vectors matter.
    """
    component: dict[str, Any] = blank_config(str(nlp.lang))["components"]["ner"]
    component.pop("factory")
    embed = component["model"]["tok2vec"]["embed"]
    embed["include_static_vectors"] = bool(nlp.vocab.vectors.data.size)
    return component


def training_config(
    base: Language,
    *,
    recognizer: str,
    source: str | None,
    continued: bool,
    seed: int,
    folder: Path,
) -> Config:
    """Build the config with which ``spacy train`` reproduces nbner's training.

    Parameters
    ----------
    base : Language
        The pipeline to start from; it is not changed.
    recognizer : str
        Name of the component to train.
    source : str, optional
        Where ``spacy train`` finds the base; None for a new pipeline, which
        its config describes in full.
    continued : bool
        Whether the recognizer starts from the base's weights.
    seed : int
        Seed of the random number generators.
    folder : Path
        Folder of ``train.spacy`` and ``dev.spacy``.
    """
    config = blank_config(str(base.lang))
    own = base.config
    config["nlp"] = own["nlp"]
    config["components"] = {name: own["components"][name] for name in own["nlp"]["pipeline"]}
    config["system"]["seed"] = seed
    config["paths"] |= {"train": str(folder / "train.spacy"), "dev": str(folder / "dev.spacy")}
    training = config["training"]
    training["optimizer"]["use_averages"] = True
    training["optimizer"]["learn_rate"] = _LEARN_RATE_CONTINUED if continued else LEARN_RATE
    training["batcher"]["size"]["stop"] = _MAX_BATCH_WORDS
    training["max_epochs"] = MAX_EPOCHS
    if source is not None:
        _start_from(config, base, recognizer, source, continued=continued)
    if transformers_of(base):
        # PyTorch and thinc share one GPU's memory; without a GPU it means nothing.
        config["system"]["gpu_allocator"] = "pytorch"
    if set(transformers_of(base)) - set(training["frozen_components"]):
        training |= own_optimizer_settings(base)
    return config


def _start_from(
    config: Config, base: Language, recognizer: str, source: str, *, continued: bool
) -> None:
    """Source the components, the vocabulary and the tokenizer from a trained pipeline."""
    upstream = _upstream_components(base, recognizer)
    shared = [name for name in upstream if len(upstream[name]) > 1]
    for name in config["components"]:
        if name != recognizer or continued:
            config["components"][name] = {"source": source}
    if shared and continued:
        # Other components listen to the same vectors: the recognizer gets its own copy,
        # so that training it does not change their input.
        config["components"][recognizer]["replace_listeners"] = ["model.tok2vec"]
    trained = {recognizer, *(name for name in upstream if name not in shared)}
    config["training"]["frozen_components"] = [n for n in base.pipe_names if n not in trained]
    config["initialize"]["before_init"] = {
        "@callbacks": _COPY_FROM_BASE,
        "tokenizer": source,
        "vocab": source,
    }


def _upstream_components(nlp: Language, recognizer: str) -> dict[str, list[str]]:
    """Return the components that the recognizer listens to, each with all its listeners."""
    listeners = {
        name: list(getattr(component, "listening_components", ()))
        for name, component in nlp.pipeline
    }
    return {name: names for name, names in listeners.items() if recognizer in names}


def set_eval_schedule(
    config: Config,
    docs: Iterable[Sized],
    *,
    patience: int | None = None,
    eval_frequency: int | None = None,
    max_epochs: int = MAX_EPOCHS,
    limits: Collection[str] = (),
) -> None:
    """Set the steps between evaluations, the patience of early stopping and the end of a small run.

    Parameters
    ----------
    config : Config
        Changed in place.
    docs : iterable of sized
        The training examples, for their numbers of tokens.
    patience : int, optional
        Evaluations without an improvement before training stops; 4 by default,
        and at least 200 steps.
    eval_frequency : int, optional
        Steps between evaluations; by default the steps of the first epoch,
        within bounds.
    max_epochs : int
        Passes over the examples, at most. Where they are fewer than 400 steps,
        400 steps are the limit in their place.
    limits : collection of str
        Those of "max_epochs" and "max_steps" that the caller has set, which stay.
    """
    batcher = registry.resolve({"batcher": config.interpolate()["training"]["batcher"]})["batcher"]
    epoch = sum(1 for _ in batcher(docs))
    least, most = _EVAL_STEPS
    frequency = eval_frequency or min(max(epoch, least), most)
    steps = frequency * (_PATIENCE if patience is None else patience)
    training = config["training"]
    training["eval_frequency"] = frequency
    training["patience"] = max(steps, _MIN_PATIENCE) if patience is None else steps
    if "max_epochs" in limits:
        return
    is_small = epoch * max_epochs < _SMALL_RUN_STEPS
    training["max_epochs"] = 0 if is_small else max_epochs
    if is_small and "max_steps" not in limits:
        training["max_steps"] = _SMALL_RUN_STEPS
