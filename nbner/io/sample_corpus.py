"""The sample corpus about cooking that comes with nbner, for lessons and first experiments."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from nbner._common.guidelines import DefinedLabels, Guidelines
from nbner.types import Example, Span

_FOLDER = files("nbner.io") / "cooking"

# The rules of the guideline in a line each.
_DEFINITIONS = {
    "Ingredient": "Food that one buys or builds with: olive oil, red onion, garlic cloves",
    "Dish": "Finished food and made sauces: soup, apple pie, pesto, focaccia",
    "Drink": "What is drunk, also when it goes into the pot: coffee, wine, cider",
    "Amount": "A number with its unit, a bare count of food, or a measure: 2 cups, a pinch",
    "Action": "Every verb form for what is done to food or happens in it: chop, fold in, toasted",
    "Tool": "Equipment with the words that name its kind: oven, foil, cast-iron skillet",
    "Time": "Durations, clock times, days, months, years: 10 to 12 minutes, overnight",
    "Temperature": "Degrees and settings of the heat: 180 °C, medium heat, room temperature, cold",
    "Size": "Dimensions, and thick or thin of a cut: large, bite-sized, 2 cm",
    "Texture": "Feel, consistency and surface: crisp, creamy, stiff peaks",
    "Taste": "Flavour and smell: sweet, smoky, fragrant. No praise, such as delicious",
    "Colour": "Hue and shade with their modifiers: golden brown, pale",
    "Diet": "Ways of eating: vegan, gluten-free, halal",
    "Cuisine": "Adjectives of nation, region or style: Italian, Tex-Mex",
    "Place": "Countries, regions, cities, named markets, shops and restaurants",
    "Person": "Names only, without chef, Aunt or Mrs",
    "Brand": "Makers and trade names, also when they stand for the product: Tabasco",
    "Event": "Holidays, festivals and occasions: Easter, wedding, picnic",
}


@dataclass(frozen=True, slots=True)
class SampleCorpus:
    """Sentences about cooking, written for nbner; MIT licence.

    Iterating yields the labelled examples of both splits; ``len`` counts them.

    Parameters
    ----------
    train, dev : tuple of Example
        Accepted gold examples.
    unlabeled : tuple of str
        More sentences of the same kind.
    labels : DefinedLabels
        The entity types, the most frequent first. A session that is opened with
        them shows their definitions and the guideline.
    guideline : str
        The annotation guideline, as Markdown.
    """

    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    unlabeled: tuple[str, ...]
    labels: DefinedLabels
    guideline: str

    def __iter__(self) -> Iterator[Example]:
        """Yield the labelled examples of both splits."""
        yield from self.train
        yield from self.dev

    def __len__(self) -> int:
        """Count the labelled examples."""
        return len(self.train) + len(self.dev)

    def __repr__(self) -> str:
        """Return the numbers of sentences, entities and types."""
        spans = sum(len(example.spans) for example in self)
        return (
            f"{len(self.train)} train and {len(self.dev)} dev sentences with {spans:,} entities of "
            f"{len(self.labels)} types, and {len(self.unlabeled)} without labels"
        )


def sample() -> SampleCorpus:
    """Load the sample corpus that comes with nbner.

    Returns
    -------
    SampleCorpus
        ``train``, ``dev``, ``unlabeled``, ``labels`` and ``guideline``.

    Examples
    --------
    >>> len(sample().labels)
    18
    """
    train, dev = (tuple(_example(row, split) for row in _rows(split)) for split in ("train", "dev"))
    counts = Counter(span.label for example in train for span in example.spans)
    labels = tuple(sorted(counts, key=lambda label: (-counts[label], label)))
    guideline = (_FOLDER / "GUIDELINE.md").read_text(encoding="utf-8")
    definitions = {label: _DEFINITIONS[label] for label in labels}
    return SampleCorpus(
        train=train,
        dev=dev,
        unlabeled=tuple(row["text"] for row in _rows("unlabelled")),
        labels=DefinedLabels(labels, Guidelines(guideline, definitions)),
        guideline=guideline,
    )


def _rows(name: str) -> Iterator[dict[str, Any]]:
    lines = (_FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return map(json.loads, lines)


def _example(row: dict[str, Any], split: str) -> Example:
    spans = tuple(Span(span["start"], span["end"], span["label"]) for span in row["spans"])
    return Example(row["text"], spans=spans, answer="accept", meta=row["meta"], split=split)
