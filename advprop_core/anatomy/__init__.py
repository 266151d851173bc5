"""What tells two branches apart: their norm layers, looked at one by one.

Branches share every other tensor, so all that makes ``aux`` predict otherwise than ``main`` is
the mean, variance, scale and shift of its BatchNorm layers. Here they are measured
(:func:`profile`), looked through (:func:`excitement`), mixed (:func:`blend`) and put in one after
another to see which of them matter (:func:`gap`).

Xie and Yuille (arXiv 1906.03787) gave adversarial images statistics of their own. Zhang et al.
(arXiv 2403.19150) ask whether the statistics matter or γ and β; :mod:`halves` measures it. Running
statistics only fit the weights that they were collected with, so whatever mixes γ and β here
estimates them again; the naive swap without that is kept to show how much it misleads.
"""
