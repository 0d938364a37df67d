"""Local language models: which there are, fetching and checking them, the process that runs one, servers of other makers."""
