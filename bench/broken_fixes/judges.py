"""Compilers and parsers of others: whether a mutant is code at all.

A judge that is not installed judges nothing. What it says of a mutant counts only where it
accepts the true fix of the same file.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_TIMEOUT_S = 120
_NODE = """
const vm = require("vm"), fs = require("fs");
for (const file of process.argv.slice(1)) {
  const text = fs.readFileSync(file, "utf8").replace(/^#!.*/, "");
  const tries = [
    () => new vm.Script(`(async function () {${text}\\n})`),
    () => new vm.SourceTextModule(text),
  ];
  const accepted = tries.some((attempt) => {
    try { attempt(); return true; } catch (error) { return false; }
  });
  if (!accepted) console.log(file);
}
"""
_TYPESCRIPT = """
const ts = require(process.argv[1]), fs = require("fs");
for (const file of process.argv.slice(2)) {
  const kind = file.endsWith(".tsx") ? ts.ScriptKind.TSX : ts.ScriptKind.TS;
  const text = fs.readFileSync(file, "utf8");
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, false, kind);
  if (source.parseDiagnostics.length) console.log(file);
}
"""
_RUBY = """
ARGV.each do |file|
  begin
    $stderr = File.open(File::NULL, "w")
    RubyVM::InstructionSequence.compile(File.read(file, encoding: "utf-8"))
  rescue SyntaxError, ArgumentError
    puts file
  end
end
"""
_PHP = """
foreach (array_slice($argv, 1) as $file) {
  try { token_get_all(file_get_contents($file), TOKEN_PARSE); }
  catch (ParseError $error) { echo $file, "\\n"; }
}
"""
_EXTENSIONS = {
    "python": "py",
    "javascript": "js",
    "typescript": "ts",
    "java": "java",
    "rust": "rs",
    "ruby": "rb",
    "bash": "sh",
}
_COMPILE = ("-fsyntax-only", "-w", "-fmax-errors=1")
"""Only a file that needs no header of its project passes, and is judged."""
Judge = Callable[[Sequence[Path]], set[str]]


def refused(language: str, texts: Mapping[str, str], typescript: Path | None) -> set[str] | None:
    """Names of those `texts` that the judge of the language refuses; None without a judge."""
    judge = _judge(language, typescript)
    if judge is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        paths = {}
        for number, (name, text) in enumerate(texts.items()):
            # javac wants public classes in files of their names
            place = Path(folder, f"m{number}")
            place.mkdir()
            path = place / f"{_stem(language, text)}.{_EXTENSIONS.get(language, language)}"
            path.write_bytes(text.encode("utf-8", "surrogateescape"))
            paths[str(path)] = name
        found = judge([Path(path) for path in paths])
        return {paths[path] for path in found if path in paths}


def _stem(language: str, text: str) -> str:
    match = re.search(r"^public\s.*?\b(?:class|interface|enum|record)\s+(\w+)", text, re.MULTILINE)
    return match[1] if language == "java" and match else "main"


def _judge(language: str, typescript: Path | None) -> Judge | None:
    if language in ("typescript", "tsx"):
        if typescript is None or not shutil.which("node"):
            return None
        return _printing("node", "-e", _TYPESCRIPT, str(typescript.absolute()))
    judges: dict[str, tuple[str, Judge]] = {
        "python": (sys.executable, _python),
        "javascript": ("node", _printing("node", "--experimental-vm-modules", "-e", _NODE)),
        "java": ("javac", _javac),
        "go": ("gofmt", _naming("gofmt", "-e", "-l")),
        "rust": ("rustfmt", _naming("rustfmt", "--edition", "2021", "--check")),
        "ruby": ("ruby", _printing("ruby", "-e", _RUBY)),
        "php": ("php", _printing("php", "-r", _PHP, "--")),
        "bash": ("bash", _one_by_one("bash", "-n")),
        "c": ("gcc", _one_by_one("gcc", *_COMPILE)),
        "cpp": ("g++", _one_by_one("g++", "-std=c++20", *_COMPILE)),
    }
    program, judge = judges.get(language, ("", None))
    return judge if judge is not None and shutil.which(program) else None


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S
    )


def _printing(*command: str) -> Judge:
    """A judge that prints the paths that it refuses."""
    return lambda paths: set(_run(*command, *map(str, paths)).stdout.split("\n"))


def _naming(*command: str) -> Judge:
    """A judge whose error messages name path and line."""

    def judge(paths: Sequence[Path]) -> set[str]:
        errors = _run(*command, *map(str, paths)).stderr
        return {path for path in map(str, paths) if f"{path}:" in errors}

    return judge


def _one_by_one(*command: str) -> Judge:
    return lambda paths: {str(path) for path in paths if _run(*command, str(path)).returncode}


def _python(paths: Sequence[Path]) -> set[str]:
    """CPython for the syntax, ruff for names that nothing defines."""
    found = set()
    for path in paths:
        try:
            compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            found.add(str(path))
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if ruff is not None:
        options = ["check", "--isolated", "--no-cache", "--select=F821", "--output-format=concise"]
        output = _run(ruff, *options, *map(str, paths)).stdout
        found |= {path for path in map(str, paths) if re.search(rf"{re.escape(path)}:\d", output)}
    return found


def _javac(paths: Sequence[Path]) -> set[str]:
    """Parses alone: with one error of syntax among the files, javac goes no further."""
    with tempfile.TemporaryDirectory() as folder:
        broken = Path(folder, "Broken.java")
        broken.write_text("class Broken {")
        options = ["-proc:none", "-Xmaxerrs", "100000", "-encoding", "UTF-8", "-d", folder]
        errors = _run("javac", *options, *map(str, paths), str(broken)).stderr
    return {path for path in map(str, paths) if re.search(rf"{re.escape(path)}:\d+: error", errors)}
