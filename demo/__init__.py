"""A synthetic laboratory for `make demo` and for tests; no part of the product."""
