"""A sentence in, what it states out: clauses, figures with what they are said of, places, years. Knows no question and no index."""
