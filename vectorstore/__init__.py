"""Documents in, searchable evidence out. Knows no prompt and no language model."""
