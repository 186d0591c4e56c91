"""The engine that speaks HTTP itself, in two processes: the worker's own, and the crew's, which does nothing but carry.

In the worker's process, from what is asked to what is ordered:

    engine.py  parts.py  api.py      the contracts it fulfils: `Engine`, `PartSender`, `Api`
    office.py  renewal.py            orders out; a crew that died is replaced; keys are kept good
    outstanding.py                   what has no outcome yet, and who waits for it; outcomes come back here
    conduct.py  probe.py             getting to know a store, and how to speak to it
    process.py                       the crew's process, held by its socket

Between the two:

    orders.py  messages.py           what is ordered, and how it is said

In the crew's process, from who is next to the bytes:

    child.py  crew.py                the loop; who goes when, and what becomes of it
    groups.py  window.py             jobs with their limits; how many requests the store bears
    errands.py  file_errands.py      what a request is for; readers.py, bodies.py, buffers.py: the bytes it sends
    ferry.py  bearings.py            the way of one errand; what refusals teach about place, region, clock and keys
    lines.py  dial.py  connection.py the connections of a site; making one; one request and its answer on one
    forms.py  sigv4.py  answers.py   heads written and signed; answers read
"""
