"""Writes accepted suggestions into files and the index; what was written can be taken back.

The rest of the program only reads the repository. Here alone it is changed, one file at a
time: checked against what was reviewed, noted in a journal, written beside its place and
swapped in. The journal is in the user's own folder, never in the repository.
"""
