"""How long a perturbation is."""


def length(perturbation, norm):
    flat = perturbation.flatten(1)
    return flat.abs().amax(1) if norm == "linf" else flat.norm(dim=1)


def dual_length(slope, norm):
    """What a perturbation of length 1 can change along a slope."""
    flat = slope.flatten(1)
    return flat.abs().sum(1) if norm == "linf" else flat.norm(dim=1)
