"""AutoAttack (Croce and Hein, arXiv 2003.01690): four attacks without a knob, one after another."""

from advprop_core.attacks.autoattack.config import AutoAttackConfig

__all__ = ["AutoAttackConfig"]
