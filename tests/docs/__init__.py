"""The documentation is built, run and held to the code."""
