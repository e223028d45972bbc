"""Which file of the repository an import names; None wherever that is not certain."""

import posixpath
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_SOURCE_FOLDERS = ("", "src", "lib", "python")
_DECLARATIONS = (".d.ts", ".d.mts", ".d.cts")
_SCRIPT_SUFFIXES = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")


@dataclass(slots=True)
class Modules:
    """Imports of one side of a change, looked up among its paths."""

    paths: frozenset[str]
    go_modules: Mapping[str, str]
    """From the path that a `go.mod` gives its module to the folder of that `go.mod`."""
    _java: dict[str, list[str]] = field(init=False)
    _go_folders: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._java = defaultdict(list)
        for path in self.paths:
            if path.endswith(".java"):
                self._java[posixpath.basename(path)].append(path)
        self._go_folders = frozenset(
            posixpath.dirname(path) for path in self.paths if path.endswith(".go")
        )

    def python(self, importer: str, module: str) -> str | None:
        """The file of `a.b` or `..b`, as imported in the file `importer`."""
        folder = posixpath.dirname(importer)
        if module.startswith("."):
            name = module.lstrip(".")
            for _ in range(len(module) - len(name) - 1):
                if not folder:
                    return None
                folder = posixpath.dirname(folder)
            return self._python_file(folder, name)
        if module.split(".")[0] in sys.stdlib_module_names:
            return None
        found = {self._python_file(root, module) for root in self._python_roots(folder)}
        found.discard(None)
        return found.pop() if len(found) == 1 else None

    def _python_roots(self, folder: str) -> Iterable[str]:
        """Folders that may be on `sys.path`: around the importer and no packages."""
        while True:
            for name in _SOURCE_FOLDERS:
                root = posixpath.join(folder, name) if name else folder
                if posixpath.join(root, "__init__.py") not in self.paths:
                    yield root
            if not folder:
                return
            folder = posixpath.dirname(folder)

    def _python_file(self, root: str, module: str) -> str | None:
        stem = posixpath.join(root, *module.split(".")) if module else root
        package = posixpath.join(stem, "__init__.py")
        if package in self.paths:
            return package
        return f"{stem}.py" if f"{stem}.py" in self.paths else None

    def has_python_submodule(self, package: str, name: str) -> bool:
        """Whether `package`, the path of an `__init__.py`, has a module or folder `name`."""
        folder = posixpath.dirname(package)
        stem = posixpath.join(folder, name)
        return any(
            path.startswith((f"{stem}/", f"{stem}.")) for path in self.paths
        ) and package.endswith("__init__.py")

    def script(self, importer: str, module: str) -> str | None:
        """The file of a relative import of JavaScript or TypeScript."""
        if not module.startswith(("./", "../")) and module not in (".", ".."):
            return None
        stem = posixpath.normpath(posixpath.join(posixpath.dirname(importer), module))
        base, suffix = posixpath.splitext(stem)
        stems = [stem, f"{stem}/index"]
        if suffix in (".js", ".jsx", ".mjs", ".cjs"):
            stems.append(base)  # TypeScript imports `x.ts` as `./x.js`
        if {f"{s}{ending}" for s in (*stems, base) for ending in _DECLARATIONS} & self.paths:
            return None  # what it gives out is written somewhere else
        found = {stem} & self.paths
        found |= {f"{s}{ending}" for s in stems for ending in _SCRIPT_SUFFIXES} & self.paths
        return found.pop() if len(found) == 1 else None

    def go_folder(self, module: str) -> str | None:
        """The folder of the package that an import path names."""
        for prefix, root in self.go_modules.items():
            if module == prefix or module.startswith(f"{prefix}/"):
                rest = module[len(prefix) :].lstrip("/")
                folder = posixpath.join(root, rest) if rest else root
                return folder if folder in self._go_folders else None
        return None

    def has_go(self, folder: str) -> bool:
        return folder in self._go_folders

    def java(self, name: str) -> str | None:
        """The file of a class by its full name."""
        tail = name.replace(".", "/") + ".java"
        paths = self._java.get(posixpath.basename(tail), ())
        found = [path for path in paths if path == tail or path.endswith(f"/{tail}")]
        return found[0] if len(found) == 1 else None
