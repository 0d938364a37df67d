"""Raw public texts -> the bundled reader: data, tokens, training, export. Nothing of the product imports this package."""
