//! Test-only: the real application on a random port, with builders that speak the product's language.
