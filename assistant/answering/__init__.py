"""A question and what was found for it in, the checked words of the answer or of the refusal out."""
