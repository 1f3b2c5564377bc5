"""What the tokenizer cannot express, and what would help."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbner._common.format import render_html
from nbner.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from nbner.nlp.tokenizer_rules import TokenizerRule
    from nbner.quality.tokenization.diagnosis import Diagnosis, RuleEffect


@dataclass(frozen=True, slots=True)
class Tokenization:
    """What the tokenizer cannot express, and the rules that would help.

    Parameters
    ----------
    diagnosis : Diagnosis
    split : str, optional
    """

    diagnosis: Diagnosis
    split: str | None
    _apply: Callable[[tuple[TokenizerRule, ...]], None] = field(repr=False)
    _undo: Callable[[], tuple[TokenizerRule, ...]] = field(repr=False)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a span that the tokens cannot express, or that begins or ends with whitespace.

        Returns
        -------
        DataFrame
            ``split``, ``input_hash``, ``start``, ``end``, ``text``, ``label``,
            ``tokens`` (that its ends cut), ``why`` and ``rule``, which would
            help; empty where none can.
        """
        import pandas as pd

        rows = [
            (
                *(one.example.split, one.example.input_hash, one.span.start, one.span.end),
                one.example.text[one.span.start : one.span.end],
                *(one.span.label, list(one.tokens), one.reason, "; ".join(map(str, one.rules))),
            )
            for one in (*self.diagnosis.untokenizable, *self.diagnosis.whitespace)
        ]
        columns = ["split", "input_hash", "start", "end", "text", "label", "tokens", "why", "rule"]
        return pd.DataFrame(rows, columns=columns)

    @property
    def rules(self) -> list[TokenizerRule]:
        """The rules that would help, the best first; give them to ``apply``."""
        return [one.rule for one in self.diagnosis.effects]

    @property
    def effects(self) -> pd.DataFrame:
        """One row a rule, in the order of ``rules``.

        Returns
        -------
        DataFrame
            ``rule``, ``fixes`` (spans that would fit by it alone), ``breaks``
            (spans that would fit no more), ``texts`` and ``tokens`` that it
            would change.
        """
        import pandas as pd

        rows = [
            (str(one.rule), one.fixes, one.breaks, one.texts, sum(one.token_changes.values()))
            for one in self.diagnosis.effects
        ]
        return pd.DataFrame(rows, columns=["rule", "fixes", "breaks", "texts", "tokens"])

    def changes(self, rule: TokenizerRule) -> pd.DataFrame:
        """List the tokens that a rule would change anywhere in the texts.

        Returns
        -------
        DataFrame
            ``token``, ``becomes``, ``count``, and ``needed``: whether a span
            that does not fit now lies there.
        """
        import pandas as pd

        needed = {word for one in self.diagnosis.untokenizable for word in one.tokens}
        rows = [
            (token, " ".join(pieces), count, token in needed)
            for (token, pieces), count in self._effect(rule).token_changes.items()
        ]
        return pd.DataFrame(rows, columns=["token", "becomes", "count", "needed"])

    def apply(self, *rules: TokenizerRule) -> None:
        """Add rules to the tokenizer, in the store and with the trained model.

        They hold for this dataset in every session from then on. A model that
        is trained already has learnt from other tokens: train it again.

        Parameters
        ----------
        *rules : TokenizerRule
            Of ``rules``; by default the first.

        Raises
        ------
        DataError
            There is no rule to apply.
        """
        chosen = rules or tuple(self.rules[:1])
        if not chosen:
            raise DataError("there is no rule that would help", field="rules")
        self._apply(chosen)

    def undo(self) -> tuple[TokenizerRule, ...]:
        """Take the last change of the rules back, and give the rules that hold then."""
        return self._undo()

    def _effect(self, rule: TokenizerRule) -> RuleEffect:
        for one in self.diagnosis.effects:
            if one.rule == rule:
                return one
        raise DataError(f"{rule} is none of these rules", field="rule", remedy="Take one of .rules")

    def __str__(self) -> str:
        found = self.diagnosis
        over = f"{found.spans:,} spans in {found.n:,} examples"
        said = [f"{len(found.untokenizable):,} of {over} do not begin and end with a token"]
        if found.whitespace:
            count = len(found.whitespace)
            said.append(
                f"{count:,} of {over} {'begins or ends' if count == 1 else 'begin or end'} with "
                "whitespace, which spaCy cannot learn: add the data again with "
                'misaligned="trim", or correct them'
            )
        said += [
            f"  {one.rule}: fixes {one.fixes:,}, changes "
            f"{sum(one.token_changes.values()):,} tokens in {one.texts:,} texts"
            for one in found.effects[:5]
        ]
        if found.effects:
            said.append("  .changes(rule) lists what else would change; .apply(rule) applies it")
        return "\n".join(said)

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame)
