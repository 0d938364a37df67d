"""A question and its passages in, drafts that an instruct model wrote out: prompt, budget, generation, one repair."""
