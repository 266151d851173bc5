"""timm networks as models that take pixels."""

import socket
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import getproxies

import huggingface_hub
import timm

from advprop_core.errors import AdvPropError, InputError
from advprop_core.models.class_names import imagenet_classes
from advprop_core.models.dual_bn import DualBNModel
from advprop_core.text import did_you_mean
from advprop_core.types import ModelInfo

# What a ModelInfo may hand to timm.create_model. It may come from a stranger's file, and others of
# timm's arguments download or unpickle (pretrained, checkpoint_path …) or allocate without bound.
ARGUMENTS = ("act_layer", "aa_layer", "drop_path_rate", "drop_rate", "global_pool", "norm_layer")


_SECONDS = 3.0  # within which the hub has to answer


class UnknownArchitecture(InputError):
    """A name that is not one of timm's; the message lists near matches."""


class Offline(AdvPropError):
    """Pretrained weights that could not be fetched."""


def create(info: ModelInfo) -> DualBNModel:
    """An untrained model of the given architecture, classes, normalisation and branches.

    Raises:
        UnknownArchitecture: If timm has no such network.
        ValueError: If the network has no BatchNorm and more than one branch is asked for, or
            ``info.arguments`` holds other names than :data:`ARGUMENTS`.
    """
    _require_architecture(info.architecture)
    if unknown := sorted(set(info.arguments) - set(ARGUMENTS)):
        raise InputError(
            f"arguments may hold {', '.join(ARGUMENTS)}, got {', '.join(map(str, unknown))}"
        )
    network = timm.create_model(info.architecture, num_classes=info.num_classes, **info.arguments)
    return DualBNModel(network, info.mean, info.std, auxiliaries=len(info.branches) - 1)


def load_pretrained(name: str) -> tuple[DualBNModel, ModelInfo]:
    """A network with timm's published weights, its auxiliary branch copied from main.

    Args:
        name: A timm name with weights (``resnet18.a1_in1k``, ``tf_efficientnet_b0.ap_in1k``), or
            a local folder in the hub's layout as ``local-dir:FOLDER``.

    Returns:
        The model, and what is known of it: its own mean and deviation, input size and classes.
        Its aux says ``copied``, because such a network was trained with one set of norm layers.

    Raises:
        UnknownArchitecture: If timm has no such network.
        Offline: If the weights are neither cached nor reachable.
        ValueError: If a local folder cannot be loaded, or a hub's description changes the network
            by other arguments than :data:`ARGUMENTS`.
    """
    _require_known(name)
    _require_weights(name)
    try:
        network: Any = timm.create_model(name, pretrained=True)
    except Exception as error:  # a description from the hub may say anything, and timm obeys
        # It failed for want of a connection, and not for what it found.
        broken = isinstance(error, URLError | ConnectionError | TimeoutError)
        if not name.startswith("local-dir:") and (broken or not _hub_is_reachable()):
            raise Offline(_offline_message(name)) from error
        raise InputError(f"{name} cannot be loaded ({type(error).__name__}: {error})") from error
    config = network.pretrained_cfg
    if not network.num_classes:
        raise InputError(f"{name} has no classifier: choose a network that has one")
    ids, names = zip(*_classes(config, network.num_classes), strict=True)
    model = DualBNModel(network, config["mean"], config["std"])
    size = config.get("test_input_size") or config["input_size"]
    info = ModelInfo(
        architecture=config.get("architecture") or name,
        class_ids=ids,
        class_names=names,
        input_size=int(size[-1]),
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        branches={"main": "trained", "aux": "copied"},
        name=name,
        arguments=_arguments(name, network),
        recipe={"source": f"timm pretrained weights {name}"},
    )
    return model.freeze(), info


def pretrained_config(architecture: str) -> Any:
    """What timm knows of an architecture: mean, std, input size, classifier name.

    Raises:
        UnknownArchitecture: If timm has no such network.
    """
    _require_architecture(architecture)
    return timm.get_pretrained_cfg(architecture) or timm.models.PretrainedCfg(classifier="fc")


def beginnings(layer: Any) -> tuple[str, ...]:
    """How the keys of a layer begin, ``("fc.",)``: timm calls it by one name, several or none."""
    names = (layer,) if isinstance(layer, str) else layer or ()
    return tuple(f"{name}." for name in names)


def default_classes(count: int) -> tuple[tuple[str, str], ...]:
    """(id, name) for a network that does not say: ImageNet's for 1000, numbers otherwise."""
    if count == 1000:
        return imagenet_classes()
    return tuple((f"class {i}", f"class {i}") for i in range(count))


def _arguments(name: str, network: Any) -> dict[str, Any]:
    """What the hub's description has changed of the network, so that a checkpoint says so too."""
    given = dict(getattr(network, "_model_args", {}))
    given.pop("num_classes", None)
    if other := sorted(set(given) - set(ARGUMENTS)):
        raise InputError(
            f"{name} changes its network by {', '.join(other)}, which a checkpoint here cannot "
            f"say: only {', '.join(ARGUMENTS)}"
        )
    return given


def _require_weights(name: str) -> None:
    """Fail at once, where the hub's client would retry for a minute first."""
    if name.startswith("local-dir:"):
        return
    config = None if ":" in name else timm.get_pretrained_cfg(name)
    hub_name = name.partition(":")[2].partition("@")[0]  # hf-hub:OWNER/NAME@REVISION
    repository = hub_name or (config and config.hf_hub_id)
    if not repository and not (config and config.has_weights):
        raise InputError(f"timm publishes no pretrained weights for {name!r}")
    files = ("model.safetensors", "pytorch_model.bin")
    cached = repository and any(
        isinstance(huggingface_hub.try_to_load_from_cache(repository, file), str) for file in files
    )
    if not cached and not _hub_is_reachable():
        raise Offline(_offline_message(name))


def _hub_is_reachable() -> bool:
    url = huggingface_hub.constants.ENDPOINT
    way = getproxies().get(urlsplit(url).scheme, url)  # the hub's client goes by way of these
    parts = urlsplit(way if "://" in way else f"http://{way}")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), _SECONDS).close()
    except OSError:  # no name, no route or no answer: all mean offline
        return False
    return True


def _offline_message(name: str) -> str:
    return (
        f"The pretrained weights of {name} are not on this machine and could not be downloaded: "
        "connect to the network once, or use a bundled model or a checkpoint file."
    )


def is_known(name: str) -> bool:
    """Whether timm can resolve the name: one of its architectures, or ``SOURCE:…``."""
    if name.startswith(("hf-hub:", "local-dir:")):
        return True
    bare, _, tag = name.partition(".")
    return timm.is_model(bare) and (not tag or timm.is_model_pretrained(name))


def _require_architecture(name: str) -> None:
    """Like :func:`_require_known`, but hub and folder names, which would be fetched, are not."""
    if ":" in name:
        raise UnknownArchitecture(f"{name!r} is a source of weights, not an architecture of timm")
    _require_known(name)


def _require_known(name: str) -> None:
    if not is_known(name):
        names = timm.list_models() + (timm.list_models(pretrained=True) if "." in name else [])
        raise UnknownArchitecture(f"timm has no architecture {name!r}. {did_you_mean(name, names)}")


def _classes(config: Mapping[str, Any], count: int) -> tuple[tuple[str, str], ...]:
    ids: Sequence[str] | None = config.get("label_names")
    if not ids or len(ids) != count:
        return default_classes(count)
    descriptions: Mapping[str, str] = config.get("label_descriptions") or {}
    return tuple((name, descriptions.get(name, name).split(",")[0]) for name in ids)
