"""The Anatomy page: how far apart two branches are, what a blend does, which layers matter."""
