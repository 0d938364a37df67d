"""Conversations kept, brought back and exported."""
