"""Rows of a results file, made by hand."""

from typing import Any

BINS = {"low": [0.6], "high": [0.667], "n": [20], "confidence": [0.65], "accuracy": [0.5]}


def make_row(
    model: str = "one", branch: str = "main", top1: float = 0.5, **condition: object
) -> dict[str, Any]:
    return {
        "model": model,
        "branch": branch,
        "condition": {"kind": "clean", **condition},
        "n": 20,
        "top1": top1,
        "top5": 1.0,
        "loss": 0.7,
        "interval": [max(0.0, top1 - 0.1), min(1.0, top1 + 0.1)],
        "calibration": {
            "expected_calibration_error": 0.15,
            "interval": [0.1, 0.2],
            "confidence_when_wrong": 0.6,
            "bins": BINS,
        },
    }


def attacked(model: str, branch: str, top1: float, epsilon: float, **more: object):
    condition = {
        "kind": "attack", "attack": "PGD-10", "norm": "linf", "epsilon": epsilon,
        "step_size": epsilon / 4, "steps": 10, "attack_branch": branch,
    }  # fmt: skip
    return make_row(model, branch, top1, **(condition | more))


def corrupted(model: str, branch: str, top1: float, kind: str, severity: int):
    return make_row(model, branch, top1, kind="corruption", corruption=kind, severity=severity)


def make_content(rows: list[dict[str, Any]], **more: object) -> dict[str, Any]:
    return {
        "format": 1,
        "data": "shapes",
        "n": 20,
        "seed": 0,
        "command": "advprop evaluate --model one --data shapes",
        "models": {"one": "0f"},
        "results": rows,
        "warnings": [],
        **more,
    }
