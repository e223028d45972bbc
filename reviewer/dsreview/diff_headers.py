"""What the header lines of a foreign patch say of a file: paths, status, modes."""

import re

from dsreview.diff_sections import (
    NULL,
    Section,
    read_name,
    split_git_names,
    without_prefix,
)
from dsreview.errors import PatchError
from dsreview.patch import FileStatus


def read_paths(section: Section) -> tuple[str, str, FileStatus]:
    for verb, status in (("rename", FileStatus.RENAMED), ("copy", FileStatus.COPIED)):
        old, new = section.extended.get(f"{verb} from"), section.extended.get(f"{verb} to")
        if old is not None and new is not None:
            return read_name(old), read_name(new), status
    status = _read_status(section)
    if section.is_submodule:
        assert section.new_name is not None
        return section.new_name, section.new_name, status
    old, new = section.old_name, section.new_name
    if section.git_names is not None and (old is None or new is None or NULL in (old, new)):
        old, new = split_git_names(section.git_names)
    if old is None or new is None:
        raise PatchError("no file name")
    old_path, path = _strip_prefixes(old, new)
    if section.git_names is None and old_path != path:
        old_path = path  # `diff -u x.py.orig x.py`: two names, one file
    return old_path, path, status


def _read_status(section: Section) -> FileStatus:
    is_plain = section.git_names is None and len(section.hunks) > 0
    first = section.hunks[0] if is_plain else ""
    if "new file mode" in section.extended or section.old_name == NULL:
        return FileStatus.ADDED
    if "deleted file mode" in section.extended or section.new_name == NULL:
        return FileStatus.DELETED
    if re.match(r"@@ -0,0 ", first):
        return FileStatus.ADDED
    if re.match(r"@@ \S+ \+0,0 ", first):
        return FileStatus.DELETED
    return FileStatus.MODIFIED


def _strip_prefixes(old: str, new: str) -> tuple[str, str]:
    """Paths without `a/` and `b/`, or whatever stands there instead, or nothing."""
    if old == new:
        return old, new  # --no-prefix
    if NULL in (old, new):
        name = new if old == NULL else old
        stripped = name[2:] if re.match(r"[abciow12]/.", name) else name
        return stripped, stripped
    below_old, below_new = without_prefix(old), without_prefix(new)
    if below_old is not None and below_old == below_new:
        return below_old, below_new
    return old, new


def read_modes(section: Section, status: FileStatus) -> tuple[int, int]:
    mode = section.extended.get("index", "").partition(" ")[2]
    default = mode or ("160000" if section.is_submodule else "100644")
    if status is FileStatus.ADDED:
        return 0, _read_mode(section, section.extended.get("new file mode", default))
    if status is FileStatus.DELETED:
        return _read_mode(section, section.extended.get("deleted file mode", default)), 0
    old = section.extended.get("old mode", default)
    return _read_mode(section, old), _read_mode(section, section.extended.get("new mode", default))


def _read_mode(section: Section, text: str) -> int:
    if not re.fullmatch(r"[0-7]{6}", text.strip()):
        raise PatchError(f"line {section.line}: not a file mode: {text}")
    mode = int(text, 8)
    if mode & 0o170000 not in (0o100000, 0o120000, 0o160000):
        raise PatchError(f"line {section.line}: not the mode of a file: {text}")
    if mode & 0o170000 == 0o100000:
        return 0o100755 if mode & 0o100 else 0o100644
    return mode & 0o170000
