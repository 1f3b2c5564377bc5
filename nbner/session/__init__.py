"""The session: the public object, its accessors and the functions behind them."""

from nbner.session.session import Session

__all__ = ["Session"]
