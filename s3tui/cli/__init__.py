"""The command line: it asks the door, prints text or JSON, and ends with an exit code.

    main.py         parse, dispatch, and errors as one sentence with an exit code
    parser.py       the options that many commands share
    outline.py      all of them as data; manual.py and shells/ make the manual page and completions of it
    upload.py jobs.py status.py config.py worker.py api.py web.py tui.py demo.py completion.py
                    one file per command, imported for who names it
    config_check.py what `config check` looks at beyond types and ranges
    foreground.py   a job carried and watched in this process
    progress.py     how far it is, on standard error
    output.py       results, on standard output: text and JSON Lines
    settings.py     options and configuration files to Settings
    logs.py         the log, in the file and on the terminal
    log_file.py     the file, which several processes write and rotate

Results go to standard output, everything else to standard error. The files of the commands import only the standard library
and the ground floor at their top: `s3tui COMMAND --help` must not wait for anything else.

Exit codes: 0 all done, 1 nothing could be done, 2 some files failed, 130 interrupted.
"""
