"""A question and the index in, the sentences that may answer it out, and the decision whether they do."""
