"""The words that a language model is given: one TOML file per prompt."""
