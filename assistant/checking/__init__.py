"""A claim and the sentences that it cites in, valid citations and a verdict out; no judge model."""
