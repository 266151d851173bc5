"""Which tensors the branches of a model hold in common."""

from collections.abc import Iterator

from torch import Tensor, nn

from advprop_core.models.dual_bn import DualBNModel, norm_layers

HALVES = (0.5, 0.5, 0.5)


def all_tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """(dotted name, tensor) with repeats, for every place that holds one."""
    for place, part in module.named_modules(remove_duplicate=False):
        for name, tensor in [*part._parameters.items(), *part._buffers.items()]:
            if tensor is not None:
                yield f"{place}.{name}", tensor


def assert_shared(model: DualBNModel) -> None:
    """Every tensor outside norm layers is one object in all branches; norm tensors are not."""
    main = model.branch("main")
    norms = set(norm_layers(main))
    ours = dict(all_tensors(main))
    for name in model.branch_names[1:]:
        theirs = dict(all_tensors(model.branch(name)))
        assert ours.keys() == theirs.keys()
        for key, tensor in ours.items():
            own = key.rpartition(".")[0] in norms
            assert (theirs[key] is tensor) is not own, key
            if not tensor.is_meta:
                assert (theirs[key].data_ptr() == tensor.data_ptr()) is not own, key
