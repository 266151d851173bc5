"""The Playground page and the attack studio below it."""
