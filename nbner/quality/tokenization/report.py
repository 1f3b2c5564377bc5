"""The result of a tokenization check: tables, and rules to apply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbner._common.format import plural, render_html
from nbner._common.result import Result
from nbner.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from nbner.nlp.tokenizer_rules import TokenizerRule
    from nbner.quality.tokenization.diagnosis import Diagnosis, RuleEffect


@dataclass(frozen=True, slots=True)
class Tokenization(Result):
    """Spans that do not match token boundaries, and the tokenizer rules that would help.

    Parameters
    ----------
    diagnosis : Diagnosis
        The spans, and the effects of rules.
    split : str, optional
        Name of the split; None for all.
    """

    diagnosis: Diagnosis
    split: str | None
    _apply: Callable[[tuple[TokenizerRule, ...]], None] = field(repr=False)
    _undo: Callable[[], tuple[TokenizerRule, ...]] = field(repr=False)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a span off the token boundaries, or with whitespace at its ends.

        Returns
        -------
        DataFrame
            ``split``, ``input_hash``, ``start``, ``end``, ``text``, ``label``,
            ``tokens`` (inside which it begins or ends), ``why`` and ``rule``
            (rules that would help; empty where none can).
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
        """The rules that would help, the best first; arguments of ``apply``."""
        return [one.rule for one in self.diagnosis.effects]

    @property
    def effects(self) -> pd.DataFrame:
        """One row a rule, in the order of ``rules``.

        Returns
        -------
        DataFrame
            ``rule``, ``fixes`` (spans that it alone would align), ``breaks``
            (spans that it would misalign), ``texts`` and ``tokens`` (numbers of
            those that it would change).
        """
        import pandas as pd

        rows = [
            (str(one.rule), one.fixes, one.breaks, one.texts, sum(one.token_changes.values()))
            for one in self.diagnosis.effects
        ]
        return pd.DataFrame(rows, columns=["rule", "fixes", "breaks", "texts", "tokens"])

    def changes(self, rule: TokenizerRule) -> pd.DataFrame:
        """List the tokens that a rule would change anywhere in the texts.

        Parameters
        ----------
        rule : TokenizerRule
            One of ``rules``.

        Returns
        -------
        DataFrame
            ``token``, ``becomes``, ``count``, and ``needed`` (whether a
            misaligned span begins or ends in this token).

        Raises
        ------
        DataError
            The rule is not one of ``rules``.
        """
        import pandas as pd

        needed = {word for one in self.diagnosis.untokenizable for word in one.tokens}
        rows = [
            (token, " ".join(pieces), count, token in needed)
            for (token, pieces), count in self._effect(rule).token_changes.items()
        ]
        return pd.DataFrame(rows, columns=["token", "becomes", "count", "needed"])

    def apply(self, *rules: TokenizerRule) -> None:
        """Add rules to the tokenizer, and store them with the dataset and the trained model.

        Every later session of this dataset uses them. A model that was trained
        before has learnt from other tokens: train it again.

        Parameters
        ----------
        *rules : TokenizerRule
            Some of ``rules``; by default the first.

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
        """Undo the last addition of rules, and return the rules that are in force then."""
        return self._undo()

    def _effect(self, rule: TokenizerRule) -> RuleEffect:
        for one in self.diagnosis.effects:
            if one.rule == rule:
                return one
        raise DataError(f"{rule} is none of these rules", field="rule", remedy="Use one of .rules")

    def __str__(self) -> str:
        found = self.diagnosis
        over = f"{plural(found.spans, 'span')} in {plural(found.n, 'example')}"
        lines = [
            (
                f"{len(found.untokenizable):,} of {over} "
                f"{'does' if len(found.untokenizable) == 1 else 'do'} not begin and end with a "
                f"token"
            )
        ]
        if found.whitespace:
            count = len(found.whitespace)
            lines.append(
                f"{count:,} of {over} {'begins or ends' if count == 1 else 'begin or end'} with "
                "whitespace, which spaCy cannot learn: add the data again with "
                'misaligned="trim", or correct them'
            )
        lines += [
            f"  {one.rule}: fixes {one.fixes:,}, changes "
            f"{plural(sum(one.token_changes.values()), 'token')} in {plural(one.texts, 'text')}"
            for one in found.effects[:5]
        ]
        if found.effects:
            lines.append("  .changes(rule) lists what else would change; .apply(rule) applies it")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame)
