"""The terminal UI in a browser: one process of the UI for each page that is open, ended with it.

    server.py       the process: its socket, its signals, its end
    pages.py        what is answered, with which headers, and how many sessions at a time
    gate.py         who may ask: the token, the cookie it becomes, and which Host and Origin are ours
    session.py      one UI process, and how it talks
    page/           the page, its style and its script

The terminal in the page, its script and its font are those of textual-serve, served from here: nothing is loaded from other hosts.
Its server is not used. It runs the program through a shell, asks nobody who they are, and waits without end for programs that hang.
"""
