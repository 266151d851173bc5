"""Accuracies per branch over a data set, clean, attacked and corrupted, each with its interval."""

from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.results import BranchResult
from advprop_core.evaluation.run import Progress, evaluate

__all__ = ["BranchResult", "Condition", "Progress", "evaluate"]
