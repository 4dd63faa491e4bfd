"""Show files: a hearing written down in YAML, read with every mistake named, written back.

    read.read_show(text) -> Show       all problems at once, each with its line and key
    write.write_show(show) -> text     read_show(write_show(show)) == show
    export.show_file_of(unit) -> text  a hearing in its present run

The format, for the person who fills one in: `docs/show-file.md`. What comes out:
`server/domain/show.py`, whose fields have the names of the file's keys.
"""
