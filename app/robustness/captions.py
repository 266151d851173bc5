"""What the Robustness page says whatever was measured; loads nothing."""

QUESTION = "How robust is each branch?"
INTRODUCTION = (
    "Many images instead of one: how often each branch is right on clean images, under attack and "
    "on corrupted images, with 95 % intervals."
)
NONE_BUNDLED = (
    "No measured results come with this copy. `advprop evaluate --model … --data … --report DIR` "
    "writes a `results.json` that can be opened here."
)
ELSEWHERE = (
    "These results were measured earlier. Choose **A run made here** to choose networks, images "
    "and attacks."
)
STOPPED = "The run was stopped. Finished figures are saved: Run continues from there."
ENDED = (
    "Cancelled: someone stopped it, or a network file changed. Finished figures are saved: Run "
    "continues from there."
)
NO_GALLERY = (
    "A results file holds totals only; run the measurement here to see single images and where the "
    "branches disagree."
)
STUDY = (
    "Points are differences in right answers, seed by seed; bars are 95 % intervals by Student's "
    "t. They say what other seeds would give, not what other photos would."
)
