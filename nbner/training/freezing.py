"""The recognizer's last layer alone: trained while all others stay as they are, and checked.

The last layer turns the vector of a state into one score an action. Every
other layer (token vectors, the hidden layer over states, whatever stands
before in the pipeline) is frozen by withholding its gradients from the
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
    """An optimizer that moves some nodes' weights and leaves all others alone.

    Parameters
    ----------
    optimizer : thinc Optimizer
    nodes : set of int
        Ids of the nodes that it may move.
    """

    def __init__(self, optimizer: Any, nodes: set[int]) -> None:
        self._optimizer = optimizer
        self._nodes = nodes

    def __call__(
        self, key: tuple[int, str], weights: Any, gradient: Any, *, lr_scale: float = 1.0
    ) -> tuple[Any, Any]:
        """Update one array of weights, or clear its gradient and leave it."""
        if key[0] in self._nodes:
            moved: tuple[Any, Any] = self._optimizer(key, weights, gradient, lr_scale=lr_scale)
            return moved
        gradient *= 0
        return weights, gradient

    def __getattr__(self, name: str) -> Any:
        return getattr(self._optimizer, name)


def output_layer_ids(nlp: Language, recognizer: str) -> set[int]:
    """Give the ids of the nodes in the recognizer's last layer."""
    model = _model_of(nlp, recognizer)
    layer = model.get_ref("upper" if model.attrs["has_upper"] else "lower")
    return {node.id for node in layer.walk()}


def frozen_weights(nlp: Language, recognizer: str) -> Weights:
    """Copy all weights of a pipeline outside of the recognizer's last layer."""
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
    """See that not one bit has moved outside of the last layer.

    Raises
    ------
    TrainingError
        Something has.
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
            'model in use stays; train with how="continue".'
        )


def _copy(node: Any, parameter: str) -> NDArray[Any]:
    return np.array(node.ops.to_numpy(node.get_param(parameter)))


def _model_of(nlp: Language, recognizer: str) -> Any:
    component: Any = nlp.get_pipe(recognizer)
    return component.model
