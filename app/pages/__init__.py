"""Thin pages: controls, then cache, then figures."""
