"""Measures s3tui beside its peers: `make bench`, or `python -m benchmarks --help`. Never part of the tests.

    __main__       the order of a run, and what it prints and writes
    workloads      what is uploaded, to which store, and what is to be reached
    contest        paired rounds: s3tui and its peers in turn, medians and ratios
    overhead       what journal and UI cost; engine_alone is what they are compared with
    scan           how fast a tree is planned, and that memory stays flat
    page           a run in words: the second half of docs/performance.md
    tools          the command lines of s3tui and its peers; peers has the programs
    sources        trees and files to upload
    stores         where they go, and the proof of what arrived; sink is the one of our own, answers what it says
    meter          what one command costs: seconds, CPU time and memory of its whole process tree
    ui             the terminal UI under load: `make bench-ui`
    queue          units per second, and how soon one begins: `python -m benchmarks.queue`
    api            bodies that the REST API takes, beside FastAPI's own way: `python -m benchmarks.api`; upload_file is that one
    video          `s3tui video` beside ffmpeg alone: `python -m benchmarks.video`

They measure what people run: whole commands, with every process that these start.
"""
