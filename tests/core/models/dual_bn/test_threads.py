"""One frozen model in many threads."""

from concurrent.futures import ThreadPoolExecutor

import torch

from advprop_core.attacks.gradient import attack
from advprop_core.attribution.maps import explain
from advprop_core.models.folding import fold
from advprop_core.predict import logits_of
from advprop_core.types import AttackConfig


def test_eight_threads_give_what_one_gives(dual, pixels):
    """Predictions, attacks and maps on both branches of one frozen model, at once."""
    jobs = [(branch, seed) for seed in range(8) for branch in dual.branch_names]

    def work(job):
        name, seed = job
        branch, image = dual.branch(name), pixels(1, seed=seed)
        found = attack(
            branch, image, torch.tensor([seed % 6]), AttackConfig.pgd(8 / 255, steps=3, seed=seed)
        )
        maps = [
            explain(branch, image, seed % 6, method, seed=seed)
            for method in ("saliency", "smoothgrad", "grad-cam")
        ]
        folded = fold(branch, image)
        return [logits_of(branch, image), found, *maps, logits_of(folded, image)]

    serial = [work(job) for job in jobs]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(work, jobs))
    for job, expected, got in zip(jobs, serial, together, strict=True):
        for one, other in zip(expected, got, strict=True):
            torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-5, msg=str(job))
    assert not any(
        part._forward_hooks or part._forward_pre_hooks or part._backward_hooks or part.training
        for part in dual.modules()
    )
