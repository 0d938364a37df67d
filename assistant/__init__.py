"""A question in, a cited and checked answer out."""
