"""CSV: files of any size as batches of rows, and every record of them accounted for. It knows no job, no database and no S3.

    open_table  ->  look  ->  split  ->  read_rows  ->  batch_object, sheets, rejects_lines
    a file          Table     batches    Rows           what is stored

opening.py     a file, plain or gzip, as bytes
encoding.py    which characters these are; what is only assumed is said to be
dialect.py     delimiter and quote
header.py      names of columns
table.py       the story of looking at a file: a Table is all that reading any range of it takes

grammar.py     where a record ends, and what broken quotes cost: one definition for all of the below
fields.py      the fields of a whole record
split.py       cuts a file into batches, a range of bytes each; a worker reads its range and nothing else
bulk.py        reads a batch in which nothing is odd, a thousand records at a time
records.py     reads any batch: each record becomes a row or a Reject, or is blank
rows.py        the rows, as bytes until somebody asks for fields
rejects.py     what is not a row: line, reason, its own bytes; and the file in which people get it back
schema.py      types of columns, never at the cost of a digit
typed.py       the same for a thousand rows at a time, from their bytes
inference.py   the types that all rows have
objects.py     batches and rows as JSON
sheets.py      rows as databases take very many at once

A record is never mended and never dropped: rows, rejects and blank records add up to what was cut. Cutting and reading are pure
functions of the bytes, so whatever is done twice gives the same batches and objects.
"""
