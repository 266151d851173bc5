"""Transfer: how well a network learns a new task, by its source, the images and the blocks trained.

The experiment of Utrera et al. (arXiv 2007.05869) on any networks, with AdvProp's branches as
contenders.
"""
