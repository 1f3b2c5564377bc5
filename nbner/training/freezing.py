"""The recognizer's last layer alone: trained while all others stay as they are, and checked.

The last layer turns the vector of a state into one score an action. Every
other layer (token vectors, the hidden layer over states, earlier components of
the pipeline) is frozen by withholding its gradients from the
optimizer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from thinc.api import Model

from nbner.errors import TrainingError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from spacy.language import Language

#: Component, position of the node in it, and parameter.
ParameterKey: TypeAlias = tuple[str, int, str]
Weights: TypeAlias = "dict[ParameterKey, NDArray[Any]]"


class MaskedOptimizer:
    """An optimizer that updates the weights of some nodes and of no others.

    Parameters
    ----------
    optimizer : thinc.api.Optimizer
        Computes the updates.
    nodes : set of int
        Ids of the nodes that are updated.
    """

    def __init__(self, optimizer: Any, nodes: set[int]) -> None:
        self._optimizer = optimizer
        self._nodes = nodes

    def __call__(
        self, key: tuple[int, str], weights: Any, gradient: Any, *, lr_scale: float = 1.0
    ) -> tuple[Any, Any]:
        """Update one array of weights, or clear its gradient.

        Parameters
        ----------
        key : (int, str)
            Node id and parameter.
        weights, gradient : array
            Of equal shape.
        lr_scale : float
            Factor of the learning rate.

        Returns
        -------
        (array, array)
            Weights and gradient after the update.
        """
        if key[0] in self._nodes:
            moved: tuple[Any, Any] = self._optimizer(key, weights, gradient, lr_scale=lr_scale)
            return moved
        gradient *= 0
        return weights, gradient

    def __getattr__(self, name: str) -> Any:
        return getattr(self._optimizer, name)


def output_layer_ids(nlp: Language, recognizer: str) -> set[int]:
    """Return the ids of the nodes in the recognizer's last layer.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    recognizer : str
        Name of the component.
    """
    model = _model_of(nlp, recognizer)
    layer = model.get_ref("upper" if model.attrs["has_upper"] else "lower")
    return {node.id for node in layer.walk()}


def frozen_weights(nlp: Language, recognizer: str) -> Weights:
    """Copy all weights of a pipeline outside of the recognizer's last layer.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    recognizer : str
        Name of the component.
    """
    moved = output_layer_ids(nlp, recognizer)
    return {
        (name, position, parameter): _copy(node, parameter)
        for name, component in nlp.pipeline
        if isinstance(model := getattr(component, "model", None), Model)
        for position, node in enumerate(model.walk())
        if node.id not in moved
        for parameter in node.param_names
        if node.has_param(parameter)
    }


def check_frozen(before: Weights, nlp: Language, recognizer: str) -> None:
    """Raise an error where weights outside of the last layer have changed.

    Parameters
    ----------
    before : mapping
        From `frozen_weights`, before training.
    nlp : Language
        The trained pipeline.
    recognizer : str
        Name of the component.

    Raises
    ------
    TrainingError
        One of these weights differs in any bit.
    """
    after = frozen_weights(nlp, recognizer)
    moved = [
        place
        for place, weights in before.items()
        if place not in after or not np.array_equal(weights, after[place])
    ]
    if moved or before.keys() != after.keys():
        where = ", ".join(f"{name}.{parameter}" for name, _, parameter in moved[:3])
        raise TrainingError(
            f"only the last layer was to be trained, and other weights have moved: {where}. The "
            'model in use stays; train with init="continue".'
        )


def _copy(node: Any, parameter: str) -> NDArray[Any]:
    return np.array(node.ops.to_numpy(node.get_param(parameter)))


def _model_of(nlp: Language, recognizer: str) -> Any:
    component: Any = nlp.get_pipe(recognizer)
    return component.model
