"""TextureShapes: drawn scenes in which outline and texture can disagree."""
