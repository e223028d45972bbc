"""The licence of a repository, by the words of its licence file."""

import re

MAX_LICENCE_BYTES = 200_000
FILE_NAME = re.compile(r"(?:un)?licen[cs]e|copying", re.IGNORECASE)
"""What the name of a licence file starts with."""
_PHRASES = (
    ("AGPL-3.0", "gnu affero general public license"),
    ("LGPL", "gnu lesser general public license"),
    ("LGPL", "gnu library general public license"),
    ("GPL-3.0", "gnu general public license version 3"),
    ("GPL-2.0", "gnu general public license version 2"),
    ("GPL", "gnu general public license"),
    ("Apache-2.0", "apache license version 2.0"),
    ("MPL-2.0", "mozilla public license version 2.0"),
    ("BSL-1.0", "boost software license"),
    ("Unlicense", "this is free and unencumbered software released into the public domain"),
    ("EPL", "eclipse public license"),
    ("curl", "the name of a copyright holder shall not be used in advertising"),
    ("ISC", "permission to use, copy, modify, and/or distribute this software"),
    ("ISC", "permission to use, copy, modify, and distribute this software"),
    ("MIT", "permission is hereby granted, free of charge, to any person obtaining a copy"),
    ("BSD-3-Clause", "may be used to endorse or promote products derived from this software"),
    ("BSD-2-Clause", "redistribution and use in source and binary forms"),
)


def licence_of(text: str) -> str:
    """An SPDX id, or the name of the family where the version is not said; empty if unknown.

    Of several licences in one file, the one that asks for most.
    """
    plain = " ".join(re.sub(r"[^\w./]+", " ", text.lower()).split())
    for name, phrase in _PHRASES:
        if " ".join(re.sub(r"[^\w./]+", " ", phrase).split()) in plain:
            return name
    return ""
