"""The whole product with networks that nobody here wrote."""
