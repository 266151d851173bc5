"""The network a run starts from, and which of its parameters are trained."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from timm.models import group_parameters

from advprop_core.errors import InputError
from advprop_core.models import timm_networks
from advprop_core.models.bundle import open_model, says_all_itself
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.models.class_names import are_indices, match_classes
from advprop_core.models.digest import tensors_sha256
from advprop_core.models.dual_bn import MAIN, DualBNModel, auxiliary_name, norm_layers
from advprop_core.models.packing import with_lean_activations
from advprop_core.models.weights import AUXILIARY
from advprop_core.training.recipe import Recipe
from advprop_core.types import Base, BranchOrigin, ModelInfo

Classes = tuple[tuple[str, str], ...]

_DROPS = ("drop_rate", "drop_path_rate")


def new_model(recipe: Recipe, classes: Classes) -> tuple[DualBNModel, ModelInfo]:
    """An untrained network, or the one the recipe starts from with a head for these classes.

    Raises:
        CheckpointError, UnknownArchitecture, Offline: If it cannot be opened.
        InputError: If the network takes images of another size alone, or cannot drop what the
            recipe wants dropped.
    """
    torch.manual_seed(recipe.seed)  # timm initialises new networks from the global generator
    source = None
    if recipe.start_from:
        # A file that was written here says these two, and the recipe's may be defaults.
        is_described = says_all_itself(recipe.start_from)
        source = open_model(
            recipe.start_from,
            architecture=None if is_described else recipe.architecture,
            size=None if is_described else recipe.size,
            mean=recipe.mean,
            std=recipe.std,
            classes=recipe.classes,
        )
    info = _make_info(recipe, classes, source)
    try:
        model = timm_networks.create(info)
    except TypeError as error:
        raise InputError(f"{info.architecture} cannot be made so: {error}") from error
    _require_size(model, info)  # after what no size would mend
    if source:
        is_new = recipe.objective == "auxiliary"  # its branches start as copies of main
        rows = _known_rows(source.info.classes, info.classes)
        take_over(model, source, rows=rows, main_only=is_new)
    return with_lean_activations(model.to(memory_format=torch.channels_last)), info


def _make_info(recipe: Recipe, classes: Classes, source: Checkpoint | None) -> ModelInfo:
    """What describes the network before it is trained."""
    names = [auxiliary_name(index) for index in range(recipe.auxiliary_count)]
    if recipe.objective == "auxiliary":
        assert source is not None
        main = source.model.branch(MAIN).network.state_dict()
        return replace(
            source.info,
            input_size=recipe.size,
            branches={MAIN: "trained", **dict.fromkeys(names, "adapted")},
            recipe={},
            metrics=(),
            base=source.info.base or Base(recipe.start_from, tensors_sha256(main)),
        )
    origins: dict[str, BranchOrigin] = dict.fromkeys([MAIN, *names], "trained")
    class_ids, class_names = map(tuple, zip(*classes, strict=True))
    if source:
        base = source.info
        if recipe.trainable == "head":  # no branch's own part is trained, but may be later
            origins = {name: base.branches.get(name, "copied") for name in origins}
    else:
        config = timm_networks.pretrained_config(recipe.architecture)
        mean, std = tuple(config.mean), tuple(config.std)
        base = ModelInfo(
            recipe.architecture, class_ids, class_names, recipe.size, mean, std, origins
        )
    arguments = {key: value for key, value in base.arguments.items() if key not in _DROPS}
    arguments |= {key: rate for key in _DROPS if (rate := float(getattr(recipe, key)))}
    return replace(
        base,
        class_ids=class_ids,
        class_names=class_names,
        input_size=recipe.size,
        branches=origins,
        arguments=arguments,
        recipe={},
        metrics=(),
        base=None,  # its weights are trained: it is no adapter of what it starts from
    )


def _require_size(model: DualBNModel, info: ModelInfo) -> None:
    config = timm_networks.pretrained_config(info.architecture)
    side = config.input_size[-1]
    if config.fixed_input_size and side != info.input_size:
        raise InputError(
            f"{info.architecture} takes images of {side} pixels alone, not of {info.input_size}: "
            f"use --size {side}, or another --arch"
        )
    try:
        with torch.no_grad():
            model.eval()({MAIN: torch.zeros(1, 3, info.input_size, info.input_size)})
    except RuntimeError as error:
        raise InputError(
            f"{info.architecture} cannot take images of {info.input_size} pixels ({error}): use "
            "another --size, or another --arch"
        ) from None


def _known_rows(source_classes: Classes, classes: Classes) -> list[int] | None:
    """Rows of a classifier for these classes, if its network knows each of them by id or name."""
    ids = [class_id for class_id, _ in classes]
    matched = match_classes(source_classes, ids)
    are_numbers = source_classes != classes and are_indices(source_classes, ids)
    if len(matched) < len(ids) or are_numbers:
        return None  # the digits 0 to 9 are not the first ten classes of ImageNet
    return [matched[class_id] for class_id in ids]


def take_over(
    model: DualBNModel, source: Checkpoint, *, rows: Sequence[int] | None, main_only: bool = False
) -> None:
    """Copy weights of the same architecture, with these rows of its classifier, or without it.

    A branch that the source lacks, and with ``main_only`` every one, starts as its main branch.
    """
    state, head = source.model.state_dict(), head_parameters(model)
    values = {}
    for key in model.state_dict():
        main_key = AUXILIARY.sub(".", key)
        source_key = main_key if main_only or key not in state else key
        if source_key in state and key not in head:
            values[key] = state[source_key]
        elif source_key in state and rows is not None:
            value = state[source_key]  # of a head that norms as well, not all counts classes
            of_classes = value.ndim > 0 and len(value) == source.info.num_classes
            values[key] = value[list(rows)] if of_classes else value
    model.load_state_dict(values, strict=False)


def head_parameters(model: DualBNModel) -> set[str]:
    """Names of the classifier's parameters inside the network."""
    network: Any = model.branch(MAIN).network
    classifier = network.get_classifier()
    # Distilled networks have two.
    heads = classifier if isinstance(classifier, tuple) else (classifier,)
    in_heads = {id(parameter) for head in heads for parameter in head.parameters()}
    return {name for name, parameter in network.named_parameters() if id(parameter) in in_heads}


def stages(model: DualBNModel, *, coarse: bool = True) -> list[list[str]]:
    """Parameter names of each of timm's groups, from the stem on, without the classifier.

    Args:
        model: The network.
        coarse: Whether a group is a whole stage; otherwise a stage's blocks are groups of their
            own.

    Raises:
        InputError: If timm does not know how to group this network's parameters.
    """
    network: Any = model.branch(MAIN).network
    head = head_parameters(model)
    try:
        groups = group_parameters(network, network.group_matcher(coarse=coarse))
    except AssertionError as error:
        raise InputError(
            f"this network has no stages that could be trained apart ({error}): train all of it"
        ) from error
    without_head = [[name for name in group if name not in head] for group in groups.values()]
    return [stage for stage in without_head if stage]


def set_trainable(model: DualBNModel, recipe: Recipe, more_stages: int = 0) -> list[str]:
    """Ask gradients of what the recipe trains, and of nothing else.

    ``more_stages`` counts the stages, or with ``blocks:K`` the blocks, that were unfrozen since,
    from the last on.

    Returns:
        Names of the parameters that are still frozen.

    Raises:
        InputError: If the network has fewer of them than ``last:K`` or ``blocks:K`` asks for.
    """
    if recipe.objective == "auxiliary":  # what branches share with main stays as it is
        model.requires_grad_(False)
        for branch in model.branch_names[1:]:
            for norm in norm_layers(model.branch(branch)).values():
                norm.requires_grad_(True)
        return []
    network, trained = model.branch(MAIN).network, head_parameters(model)
    names = [name for name, _ in network.named_parameters()]
    kind, _, number = recipe.trainable.partition(":")
    count = more_stages + int(number or 0)
    if kind == "all":
        trained.update(names)
    elif kind == "norm":
        layers = norm_layers(network)  # whose parameters are all their own
        trained.update(name for name in names if name.rpartition(".")[0] in layers)
    elif count or recipe.unfreeze_patience:  # not always, for not every network has stages
        groups = stages(model, coarse=kind != "blocks")
        if int(number or 0) > len(groups):
            parts = "blocks" if kind == "blocks" else "stages"
            raise InputError(
                f"trainable is {recipe.trainable}, but there are {len(groups)} {parts}"
            )
        trained.update(name for group in groups[::-1][:count] for name in group)
    for branch in model.branch_names:
        for name, parameter in model.branch(branch).network.named_parameters():
            parameter.requires_grad_(name in trained)
    return [name for name in names if name not in trained]


def train_mode(model: DualBNModel) -> None:
    """Training mode, except that a frozen norm layer keeps its statistics too."""
    model.train()
    for branch in model.branch_names:
        for norm in norm_layers(model.branch(branch)).values():
            parameters = list(norm.parameters())
            if parameters and not any(p.requires_grad for p in parameters):
                norm.eval()


def describe(info: ModelInfo, recipe: Recipe, data: str, images: int, command: str) -> ModelInfo:
    """The header of the run's checkpoint, but for its name and metrics."""
    config, attack = recipe.attack.config(), None
    if recipe.objective != "vanilla":
        attack = {**asdict(recipe.attack), "epsilon": config.epsilon, "step_size": config.step_size}
    how = {
        "architecture": info.architecture,
        "attack": attack,
        "data": Path(data).name,
        "training_images": images,
        "command": command,
    }
    return replace(info, recipe=recipe.to_json() | how)
