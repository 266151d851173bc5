"""The Influence page: which training images a prediction rests on."""
