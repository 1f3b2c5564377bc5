"""Whether a store holds together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbner._common.format import render_html
from nbner.store.integrity import IntegrityCheck

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class IntegrityReport:
    """Every rule of a store, and whether it holds.

    Parameters
    ----------
    store : str
        Where it is.
    checks : tuple of IntegrityCheck
    """

    store: str
    checks: tuple[IntegrityCheck, ...]

    @property
    def ok(self) -> bool:
        """Whether every rule holds."""
        return all(check.ok for check in self.checks)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a rule: rule, ok, checked, wrong, detail."""
        import pandas as pd

        names = ["rule", "ok", "checked", "wrong", "detail"]
        rows = [[getattr(check, name) for name in names] for check in self.checks]
        return pd.DataFrame(rows, columns=names)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        broken = [check for check in self.checks if not check.ok]
        if not broken:
            return f"{self.store}: every one of {len(self.checks)} rules holds"
        said = [f"  {check.rule}: {check.violations:,} wrong ({check.detail})" for check in broken]
        remedy = "  Go back to a copy: session.store.backup() makes them."
        return "\n".join([f"{self.store}: {len(broken)} rules do not hold", *said, remedy])

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame)
