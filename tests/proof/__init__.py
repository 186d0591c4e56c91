"""The proof: what is promised holds when everything is broken on purpose. docs/guarantees.md says which promise has which test.

    test_kill_matrix     each command, killed at each step that it makes
    test_fault_matrix    each fault of a store at each operation, once and for ever
    test_state_faults    a state database that is full, locked, damaged or read-only
    test_woken           a worker that freezes until another one has done its work; test_frozen: of an ingest
    test_model           commands and steps of workers in any order, against a model
    test_ingest          a large file, whatever dies meanwhile; what dies when is drawn from a seed, and paced by what has landed
    soak                 a program of its own: mixed jobs with faults, and nothing grows

A part of it runs with the other tests. `make proof` runs all of it. Each kind of test has a negative control, which takes a guard
away and must see it missing.
"""
