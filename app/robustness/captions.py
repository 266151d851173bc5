"""What the Robustness page says whatever was measured; loads nothing."""

QUESTION = "How much can each branch stand?"
INTRODUCTION = (
    "Many images instead of one: how often each branch is right on clean images, under attack and "
    "on corrupted images, with 95 % intervals."
)
NONE_BUNDLED = (
    "No measured results come with this copy. `advprop evaluate --model … --data … --report DIR` "
    "writes a `results.json` that can be opened here."
)
CURVES = (
    "Bands are 95 % Wilson intervals. Each branch is attacked through itself unless said; at ε = 0 "
    "images are clean. A stronger attack may find more, so robust accuracy is an upper bound."
)
RELIABILITY = (
    "Where a bar ends below the diagonal, the branch is surer than it is right; pale bars hold few "
    "images. Lines are 95 % Wilson intervals. The error is the expected calibration error (Guo et "
    "al., arXiv 1706.04599), over 15 bins; few images make it too large."
)
CORRUPTIONS = "Share of wrong answers by corruption and severity, on one colour scale."
CORRUPTED_HERE = (
    "The corruptions are made here at 224 pixels and resized to the network's input, so the mean "
    "is not the mCE of articles."
)
CORRUPTED_FILES = (
    "The corruptions are published files. The mean is over plain errors, so it is not the mCE of "
    "articles, which weighs kinds by AlexNet's errors."
)
TRANSFERS = (
    "Colour is the branch that predicts, dash and marker that whose gradient made the "
    "perturbation; upright lines are 95 % Wilson intervals."
)
MATRIX = (
    "In a matrix a row is the branch whose gradient made the perturbation, a column the branch "
    "that predicts; the diagonal is white box. Figures are right answers with their 95 % intervals."
)
SMALLEST = (
    "Each image is attacked at its own radii until the smallest that suffices is found. The drop "
    "at 0 is clean answers that are wrong; a line ends at what no radius up to the limit turned. "
    "A stronger attack may need less."
)
PROBES = (
    "Shuffled patches lose outlines and keep texture; edges are lines alone; low-pass takes detail "
    "away and high-pass coarse structure, from a cut-off in cycles per image on. A branch that was "
    "not trained on such images may also fail because they look strange."
)
BIAS = (
    "In these scenes an object has the outline of one class and the texture of another. The bias "
    "is the share of answers by shape among those by either (Geirhos et al., arXiv 1811.12231); at "
    "the dotted line neither prevails."
)
ELSEWHERE = (
    "These results were measured elsewhere. Choose **A run made here** to choose networks, images "
    "and attacks."
)
STOPPED = "The run was stopped. What was finished is kept: Run goes on from there."
ENDED = (
    "The run was ended, by someone else or because a network's file was written anew. What was "
    "finished is kept: Run goes on from there."
)
NO_GALLERY = (
    "Single images are known of a run made here alone: a results file holds sums. Measure the same "
    "here to see the images on which branches part ways."
)
STUDY = (
    "Points are differences in right answers, seed by seed; bars are 95 % intervals by Student's "
    "t. They speak of other seeds, not of other photos."
)
