"""Anchoring audit: how far annotators follow perturbed suggestions."""
