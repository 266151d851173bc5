"""Every map; the only package that imports captum.

No hook is ever registered on a module that was handed in: methods without hooks run on it
directly, the others on a private view made for the call. Randomness comes from an own generator.
"""
