"""What tells two branches apart: their norm layers, since they share every other tensor.

``distance`` measures them, ``excitement`` looks through them, ``mixing`` blends them and ``gap``
puts them in one after another to see which of them matter.

Xie and Yuille (arXiv 1906.03787) gave adversarial images statistics of their own. Zhang et al.
(arXiv 2403.19150) ask whether the statistics matter or γ and β; ``halves`` measures it. Running
statistics only fit the weights that they were collected with, so whatever mixes γ and β here
estimates them again; the naive swap without that is kept to show how much it misleads.
"""
