"""The terminal UI: it draws what the state store says and asks the door for the rest. It never transfers.

    app            run_tui: environment, terminal check; imports Textual only when it starts
    crash          the report of one, without secrets
    application    the Textual App: themes, keys, palette, signals, which screen is open
    screens/       Jobs, New job, Places, Targets, Plan, Transfers, Failures, Rejects, Throughput, Workers, Settings, Keys, Log,
                   Help, dialogs
    widgets/       the line-drawn tables, the summary, the key bar, the detail pane, the plot
    commands       the one table of actions: bindings, key bar, palette and help are made from it
    keymap         what ui.keys makes of it, and what is wrong with that
    log_tail       the end of the log, as it grows
    prefill        what the form for a new job begins with
    folders        what a tree of folders shows, and what is marked in it; measuring: how much that is
    places         where people go; bookmarks: the file of those they keep
    looks, cells   how a state looks; text cut to cells
    figures        the numbers of a job as sentences and shares; videos: those of what becomes a video
    course         how fast a job was: rates and sparklines out of samples
    crew           workers in words
    endings        jobs that end meanwhile: bell and notice
    themes         YAML files to themes
    door           what the UI needs of the rest of the program, as protocols
    messages       what screens tell the application
    screen_writer  what the terminal shows, and the least to write to change it
    link           the line to the terminal: its round trip, and whether progress may be painted
    internals      the only module that touches private names of Textual; there screen_writer and link are put into the App
    filters        the last net: no control character leaves the UI; glyphs as ASCII
    driver         the mouse over a slow line
    hangup         signals, terminals that went away, and leaving the terminal as it was found

Threads: everything that may block (the state store, listing folders) runs in a worker thread through `Page.ask` and comes home as
one message. Nothing else leaves the event loop, and no lock is needed.
"""
