"""The paths, one file per group. Each has a `router`; bodies of functions are short, as the work is done next door."""
