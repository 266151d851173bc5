"""`private_view` and `attack_view`: copies that share tensors."""

import torch

from advprop_core.models.dual_bn import attack_view, private_view
from advprop_core.predict import logits_of
from tests.core.models.dual_bn.sharing import all_tensors


def test_private_view_shares_tensors_and_owns_hooks_and_mode(dual, pixels):
    aux = dual.branch("aux")
    view = private_view(aux)
    ours, theirs = dict(all_tensors(aux)), dict(all_tensors(view))
    assert ours.keys() == theirs.keys()
    assert all(theirs[key] is tensor for key, tensor in ours.items())
    calls = []
    for part in view.modules():
        part.register_forward_hook(lambda *_: calls.append(1))
    view.train()
    aux(pixels())
    assert not calls
    assert not any(part._forward_hooks or part.training for part in dual.modules())


def test_attack_view_follows_training_and_moves_nothing(make_dual, pixels):
    model = make_dual().requires_grad_(True).train()
    aux = model.branch("aux")
    view = attack_view(aux)
    assert not any(part.training for part in view.modules())
    assert aux.training

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model({"main": pixels(4), "aux": pixels(4)})["aux"].square().sum().backward()
    optimizer.step()
    optimizer.zero_grad()
    expected = logits_of(private_view(aux).eval(), pixels())
    assert torch.equal(logits_of(view, pixels()), expected)

    state = {key: value.clone() for key, value in model.state_dict().items()}
    point = pixels().requires_grad_()
    view(point).sum().backward()
    assert point.grad is not None
    assert all(parameter.grad is None for parameter in [*model.parameters(), *view.parameters()])
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert all(torch.equal(state[key], value) for key, value in model.state_dict().items())
