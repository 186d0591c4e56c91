"""Webhooks: another program is told, signed, of each job that has ended.

message.py     what is told of a job: one JSON document
signing.py     the headers by which a receiver knows it for ours (the Standard Webhooks specification)
addresses.py   where a host's name leads, and whether that is an address of the public internet
posting.py     one attempt to tell one notice, over HTTP
courier.py     the thread of a worker that tells what is due, and when it tries again

The state database writes a notice in the transaction that ends the job (`state.webhooks`), so none is lost and none is made up. A
receiver may get one twice, after a crash, and knows it by its id; order is not promised.
"""
