"""Keys of the annotation widget that a user has chosen: acts, names of keys, and clashes.

A chord is the name of a key with its modifiers as the page uses it, such as ``a``, ``Enter``,
``shift+1`` or ``mod+z``: see ``js/src/shared/keyboard.ts``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbner.errors import DataError

#: Acts whose keys can be changed, with their built-in chords; ``model/keyMap.ts`` has the same.
ACTS: Mapping[str, tuple[str, ...]] = {
    "accept": ("a",),
    "reject": ("x",),
    "ignore": ("Space",),
    "take_back": ("Backspace",),
    "flag": ("f",),
    "note": ("n",),
    "back": (",",),
    "next": (".",),
    "first_open": ("g",),
    "list": ("l",),
    "version": ("v",),
    "difference": ("j",),
    "previous_difference": ("k",),
    "label_active": ("Enter",),
    "remove": ("Delete",),
    "label_everywhere": ("e",),
    "unlabel_everywhere": ("r",),
    "confidence": ("c",),
    "accept_confident": ("p",),
    "alternative": ("t",),
    "guideline": ("i",),
    "edit_labels": ("m",),
    "filter": ("/",),
    "done": ("b",),
    "next_unsure": ("u",),
    "search": ("s",),
    "smaller": ("-",),
    "larger": ("+",),
    "width": ("w",),
    "undo": ("mod+z",),
    "redo": ("mod+shift+z", "mod+y"),
    "save": ("mod+s",),
    "help": ("?", "h"),
}

#: Acts that have no key when another act or a label takes their own: each can be done without.
_YIELDING = frozenset({"label_active", "accept_confident", "previous_difference"})

#: Marks the name of a label that an act has too.
LABEL_PREFIX = "label:"

_NAMED = {
    "enter": "Enter",
    "return": "Enter",
    "space": "Space",
    " ": "Space",
    "backspace": "Backspace",
    "delete": "Delete",
    "del": "Delete",
    "insert": "Insert",
    **{f"f{number}": f"F{number}" for number in range(1, 13)},
}
_MODIFIERS = {"ctrl": "mod", "control": "mod", "cmd": "mod", "command": "mod", "meta": "mod"}
_MODIFIERS |= {"mod": "mod", "alt": "alt", "option": "alt", "shift": "shift"}
#: Keys that move the caret, lead out of the widget, or scroll.
_FIXED = {"tab", "escape", "esc", "home", "end", "pageup", "pagedown"}
_FIXED |= {"left", "right", "up", "down", "arrowleft", "arrowright", "arrowup", "arrowdown"}
#: Function keys that no browser uses.
_FREE_FUNCTION_KEYS = {"F2", "F4", "F8", "F9"}
_DIGITS = "1234567890"
_BANKS = ("", "shift+", "shift+alt+")

_SHAPE = 'Write a character, "enter", "space", "backspace", "delete" or "shift+1"'


@dataclass(frozen=True, slots=True)
class KeyBindings:
    """The keys that differ from the built-in ones.

    Parameters
    ----------
    acts : mapping
        Act to its chord; an empty one is no key.
    labels : mapping
        Label to its chord, likewise.
    """

    acts: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, str]:
        """Return the bindings as one mapping, with labels marked, for the store."""
        return {**self.acts, **{f"{LABEL_PREFIX}{one}": key for one, key in self.labels.items()}}

    def renamed(self, old: str, new: str) -> KeyBindings:
        """Return the bindings after a label was renamed.

        Parameters
        ----------
        old, new : str
            Names of the label; a key that the new one has already stays.
        """
        kept = {label: key for label, key in self.labels.items() if label != old}
        if old in self.labels:
            kept.setdefault(new, self.labels[old])
        return KeyBindings(self.acts, kept)


def bindings_from_json(value: Any) -> KeyBindings:
    """Build bindings from a stored value, without what this version does not know.

    Parameters
    ----------
    value : Any
        From `KeyBindings.to_json`, of any version.
    """
    pairs = {
        name: key
        for name, key in (value.items() if isinstance(value, Mapping) else ())
        if isinstance(key, str)
    }
    return KeyBindings(
        {name: key for name, key in pairs.items() if name in ACTS},
        {
            name.removeprefix(LABEL_PREFIX): key
            for name, key in pairs.items()
            if name.startswith(LABEL_PREFIX)
        },
    )


def label_chord(position: int) -> str | None:
    """Return the built-in chord of the label at a position; None behind the thirtieth.

    Parameters
    ----------
    position : int
        From 0.
    """
    bank, digit = divmod(position, len(_DIGITS))
    return f"{_BANKS[bank]}{_DIGITS[digit]}" if bank < len(_BANKS) else None


def parse_bindings(keys: object, labels: Sequence[str]) -> KeyBindings:
    """Check keys that a user has chosen.

    Parameters
    ----------
    keys : mapping
        Act or label to the name of a key, unchecked; None is no key.
    labels : sequence of str
        The labels of the session, in their order.

    Returns
    -------
    KeyBindings
        The keys in their normal form.

    Raises
    ------
    DataError
        An act is unknown, a key is none, reserved, or given twice, or it is the
        built-in key of an act or label that keeps it.
    """
    if not isinstance(keys, Mapping):
        raise DataError(
            f"keys= takes a mapping, not {keys!r}",
            field="keys",
            remedy='Write keys={"accept": "enter", "Dish": "d"}',
        )
    acts: dict[str, str] = {}
    of_labels: dict[str, str] = {}
    for name, key in keys.items():
        is_label, target = _target(name, labels)
        chord = "" if key is None else parse_chord(key, target)
        (of_labels if is_label else acts)[target] = chord
    bindings = KeyBindings(acts, of_labels)
    _check_twice(bindings)
    _check_built_in(bindings, labels)
    return bindings


def parse_chord(key: object, target: str) -> str:
    """Return the chord of a key's name.

    Parameters
    ----------
    key : str
        Such as "enter", "d" or "shift+1", unchecked.
    target : str
        The act or label that gets it, for the message.

    Raises
    ------
    DataError
        There is no such key, or it is reserved.
    """
    if not isinstance(key, str) or not key:
        raise DataError(f"the key of {target!r} is {key!r}", field="keys", remedy=_SHAPE)
    # The sign between keys is no key.
    *before, last = key.split("+")
    modifiers = {_MODIFIERS.get(one.strip().lower(), "") for one in before}
    name = last if last == " " else last.strip()
    lowered = name.lower()
    if "" in modifiers or not name:
        raise _refusal(key, target, "is not the name of a key", _SHAPE)
    if lowered in _FIXED:
        raise _refusal(key, target, "is fixed: it moves in the text or leaves the widget", _SHAPE)
    if lowered in _NAMED:
        return _named_chord(key, target, _NAMED[lowered], modifiers)
    if len(name) != 1 or not name.isascii() or not name.isprintable():
        raise _refusal(key, target, "is not the name of a key", _SHAPE)
    return _character_chord(key, target, lowered, modifiers)


def _named_chord(key: str, target: str, name: str, modifiers: set[str]) -> str:
    if name.startswith("F") and name not in _FREE_FUNCTION_KEYS:
        raise _reserved(key, target)
    if not modifiers:
        return name
    if name == "Enter":
        raise _refusal(key, target, "runs the cell in JupyterLab", 'Take "enter", or another key')
    if modifiers != {"shift"}:
        raise _reserved(key, target)
    return f"shift+{name}"


def _character_chord(key: str, target: str, name: str, modifiers: set[str]) -> str:
    held = [one for one in ("mod", "shift", "alt") if one in modifiers]
    chord = "+".join([*held, name])
    if "mod" in modifiers:
        if any(chord in chords for chords in ACTS.values()):
            return chord
        raise _reserved(key, target)
    if name in _DIGITS and (not held or held in (["shift"], ["shift", "alt"])):
        return chord
    if "alt" in modifiers:
        raise _reserved(key, target)
    if held:
        what = "capital and small letters are one key" if name.isalpha() else "shift changes it"
        raise _refusal(key, target, f"is no key of its own: {what}", "Write what the key prints")
    return chord


def _reserved(key: str, target: str) -> DataError:
    return _refusal(
        key, target, "belongs to the browser or to JupyterLab, which would act on it", _SHAPE
    )


def _refusal(key: str, target: str, why: str, remedy: str) -> DataError:
    return DataError(f"the key {key!r} for {target!r} {why}", field="keys", remedy=remedy)


def _shown(chord: str) -> str:
    return chord.replace("mod+", "ctrl+").lower()


def _target(name: object, labels: Sequence[str]) -> tuple[bool, str]:
    """Return whether a name is that of a label, and the act or the label."""
    if isinstance(name, str):
        if name in ACTS:
            return False, name
        label = name if name in labels else name.removeprefix(LABEL_PREFIX)
        if label in labels:
            return True, label
    raise DataError(
        f"{name!r} is neither an act nor a label; the acts are: {', '.join(ACTS)}; the labels "
        f"are: {', '.join(labels) or 'none'}",
        field="keys",
        remedy="Correct the name",
    )


def _check_twice(bindings: KeyBindings) -> None:
    taken: dict[str, str] = {}
    for target, chord in (*bindings.acts.items(), *bindings.labels.items()):
        if chord and chord in taken:
            raise DataError(
                f"{_shown(chord)!r} is the key of both {taken[chord]!r} and {target!r}",
                field="keys",
                remedy="Give each a key of its own",
            )
        taken[chord] = target


def _check_built_in(bindings: KeyBindings, labels: Sequence[str]) -> None:
    """Raise where a chosen key is the built-in one of what has not been moved."""
    owners = {
        chord: act
        for act, chords in ACTS.items()
        if act not in bindings.acts and act not in _YIELDING
        for chord in chords
    }
    owners |= {
        chord: label
        for position, label in enumerate(labels)
        if label not in bindings.labels and (chord := label_chord(position)) is not None
    }
    for target, chord in (*bindings.acts.items(), *bindings.labels.items()):
        owner = owners.get(chord)
        if owner is not None and owner != target:
            raise DataError(
                f"{_shown(chord)!r}, the key for {target!r}, is the key of {owner!r}",
                field="keys",
                remedy=f"Move that too, with {owner!r}: another key or None, or take another key",
            )
