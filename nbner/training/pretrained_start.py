"""Start of a new recognizer from the token-to-vector layers of a trained pipeline.

spaCy's config has a place for that: ``[initialize] init_tok2vec`` names a file of
weights, which are read into the layer that ``[pretraining]`` names. The recognizer
gets the architecture of the other pipeline's layers, and the run's folder the file,
so that ``spacy train`` starts from the same weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from spacy.language import DEFAULT_CONFIG_PRETRAIN_PATH
from spacy.util import get_lang_class, is_package, load_config

from nbner.errors import ModelError, TrainingError
from nbner.nlp.pipeline import BLANK_PREFIX, is_trained, load_base, recognizer_of
from nbner.nlp.transformers import transformers_of

if TYPE_CHECKING:
    from spacy.language import Language
    from thinc.api import Config, Model

WEIGHTS_FILE = "tok2vec.bin"
_OWN_LAYERS = ("spacy.Tok2Vec.", "spacy.HashEmbedCNN.")
_INIT_KEYS = ("initialize", "init_tok2vec")


@dataclass(frozen=True, slots=True)
class PretrainedStart:
    """The layers that a new recognizer starts from.

    Parameters
    ----------
    name : str
        The pipeline that they are from: a package, or a folder by its full path.
    component : str
        Its component that holds them.
    settings : mapping
        Their section of its config.
    layers : Model
        The layers, with their weights.
    """

    name: str
    component: str
    settings: Mapping[str, Any]
    layers: Model[Any, Any]

    @classmethod
    def from_pipeline(
        cls,
        source: str | Path,
        base: Language,
        recognizer: str,
        *,
        continued: bool,
        overrides: Mapping[str, Any],
    ) -> PretrainedStart:
        """Find the layers of a pipeline, and check that the new recognizer can take them.

        Parameters
        ----------
        source : str or Path
            An installed package or a folder. The layers of its recognizer are taken;
            where that has none of its own, those of its component "tok2vec".
        base : Language
            The pipeline that the run starts from.
        recognizer : str
            Name of the component to train.
        continued : bool
            Whether the recognizer goes on from its weights.
        overrides : mapping
            The caller's overrides of the config.

        Raises
        ------
        TrainingError
            There is no such pipeline, it has no such layers, or something does not
            fit, which is named.
        """
        name = str(source)
        if continued:
            raise TrainingError(
                "init_from= needs a new recognizer, since a trained one has its layers already. "
                'Train with session.train(init="scratch", init_from=...).'
            )
        for keys in (("components", recognizer, "model", "tok2vec"), _INIT_KEYS):
            if _has(overrides, keys):
                raise TrainingError(
                    f"config= sets {'.'.join(keys)!r}, which init_from= takes from {name!r}. Leave "
                    "one of them out."
                )
        own = base.config.interpolate()["components"][recognizer]["model"].get("tok2vec", {})
        if not _are_own_layers(own):
            raise TrainingError(
                f"init_from={name!r}: the recognizer {recognizer!r} has no layers of its own to "
                f"replace, but {own.get('@architectures')!r}. Set its layers with config=."
            )
        try:
            nlp = load_base(source)
        except ModelError as error:
            raise TrainingError(f"init_from={name!r}: {error}") from error
        if nlp.lang != base.lang:
            raise TrainingError(
                f"init_from={name!r} is a pipeline for {nlp.lang!r}, and the session's is for "
                f"{base.lang!r}: the features of its words would differ. Use one of the same "
                "language, or Session(..., model=...) with that language."
            )
        found = _trained_layers(nlp)
        if found is None:
            _raise_without_layers(name, nlp)
        # A folder is stored by its full path: configs outlive the working directory.
        where = name if is_package(name) else str(Path(name).resolve())
        return cls(where, *found)

    @property
    def needs_vectors(self) -> bool:
        """Whether the layers read static word vectors."""
        return _reads_vectors(self.settings)

    def apply(self, config: Config, recognizer: str, weights: Path) -> Config:
        """Return a config whose recognizer has these layers, and starts from their weights.

        Parameters
        ----------
        config : Config
            Of a run whose recognizer is new.
        recognizer : str
            Name of the component to train.
        weights : Path
            The file of the weights.
        """
        changed = load_config(DEFAULT_CONFIG_PRETRAIN_PATH).merge(config)
        changed["components"][recognizer]["model"]["tok2vec"] = dict(self.settings)
        changed["pretraining"] |= {"component": recognizer, "layer": "tok2vec"}
        changed["initialize"]["init_tok2vec"] = str(weights)
        if self.needs_vectors:
            changed["initialize"]["vectors"] = self.name
        return changed

    def write(self, config: Config, recognizer: str, weights: Path) -> None:
        """Write the weights as spaCy reads them: with the layer that follows, newly drawn.

        Parameters
        ----------
        config : Config
            The run's, with everything that is in `apply`. The random number generators
            decide the last layer.
        recognizer : str
            Name of the component to train.
        weights : Path
            The file.

        Raises
        ------
        TrainingError
            The recognizer's architecture cannot take the layers.
        """
        section = config.interpolate()["components"][recognizer]
        nlp = get_lang_class(config["nlp"]["lang"])()
        settings = {name: value for name, value in section.items() if name != "factory"}
        component: Any = nlp.add_pipe(section["factory"], name=recognizer, config=settings)
        try:
            layer = component.model.get_ref("tok2vec")
            own, *_, last = layer.layers
            own.from_bytes(self.layers.to_bytes())
            last.initialize()
        except ValueError as error:
            raise TrainingError(
                f"the layers of {self.component!r} in {self.name!r} do not fit the recognizer "
                f"{recognizer!r}: {' '.join(str(error).split())}"
            ) from error
        weights.write_bytes(layer.to_bytes())


def _trained_layers(nlp: Language) -> tuple[str, Mapping[str, Any], Model[Any, Any]] | None:
    """Return component, settings and layers of a pipeline; None where it has none."""
    sections = nlp.config.interpolate()["components"]
    found = recognizer_of(nlp)
    if found is not None and is_trained(nlp):
        settings = sections[found[0]].get("model", {}).get("tok2vec", {})
        if _are_own_layers(settings):
            return found[0], settings, found[1].model.get_ref("tok2vec").layers[0]
    for name, component in nlp.pipeline:
        if nlp.get_pipe_meta(name).factory == "tok2vec":
            model: Model[Any, Any] = component.model  # type: ignore[attr-defined]
            return name, sections[name]["model"], model
    return None


def _raise_without_layers(name: str, nlp: Language) -> NoReturn:
    if transformers_of(nlp):
        raise TrainingError(
            f"init_from={name!r}: its layers are a transformer, which a recognizer listens to and "
            f"does not hold. Start from the pipeline itself: Session(..., model={name!r})."
        )
    if nlp.vocab.vectors.data.size:
        raise TrainingError(
            f"init_from={name!r}: it has word vectors, and no trained layers. Use "
            f"session.train(vectors={name!r})."
        )
    blank = " It is a new pipeline." if name.startswith(BLANK_PREFIX) else ""
    raise TrainingError(
        f"init_from={name!r}: it has neither a component 'tok2vec' nor a trained recognizer with "
        f"layers of its own.{blank} Give a trained pipeline, such as en_core_web_sm."
    )


def _are_own_layers(settings: Mapping[str, Any]) -> bool:
    """Return whether layers are a component's own, and do not listen to another one."""
    return str(settings.get("@architectures")).startswith(_OWN_LAYERS)


def _has(section: Any, keys: tuple[str, ...]) -> bool:
    for key in keys:
        if not isinstance(section, Mapping) or key not in section:
            return False
        section = section[key]
    return True


def _reads_vectors(settings: Any) -> bool:
    if not isinstance(settings, Mapping):
        return False
    return bool(
        settings.get("include_static_vectors") or settings.get("pretrained_vectors")
    ) or any(_reads_vectors(one) for one in settings.values())
