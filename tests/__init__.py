"""The tests: ``test_x.py`` tests what ``x.py`` promises; the other files are what they share."""
