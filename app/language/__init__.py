"""The app in other languages: English sentences in the code, a gettext catalogue for each other."""
