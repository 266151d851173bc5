"""Tests on a GPU take the networks and pictures of those on a CPU."""

from tests.core.conftest import make_dual, make_info, pixels

__all__ = ["make_dual", "make_info", "pixels"]
