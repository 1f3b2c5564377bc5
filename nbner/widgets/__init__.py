"""Widgets over plain values: annotator and error explorer, and the queue behind them."""
