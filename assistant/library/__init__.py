"""Documents added and removed on the page, and labels corrected there: kept in the data folder, applied to every index."""
