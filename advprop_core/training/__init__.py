"""Objectives, the loop and its data; loads neither captum nor the app."""
