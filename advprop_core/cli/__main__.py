"""``python -m advprop_core.cli``, which torchrun needs."""

from advprop_core.cli.main import main

if __name__ == "__main__":
    main()
