"""Labelled questions and an assistant in; how often it is right, and a report that shows every answer, out."""
