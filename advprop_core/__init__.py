"""AdvProp networks: open, attack, compare, explain, evaluate and train them.

The names are listed in ``__init__.pyi`` and loaded when they are used, so that ``import
advprop_core`` loads no torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
