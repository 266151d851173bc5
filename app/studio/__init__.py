"""The attack studio below the Playground: how strong, step by step, and who fools whom."""
