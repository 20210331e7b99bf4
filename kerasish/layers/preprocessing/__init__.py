"""Layers that prepare data."""
