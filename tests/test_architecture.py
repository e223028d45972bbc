"""Who may import what. A table here, a reason in docs/architecture.md."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
REVIEWER = ROOT / "reviewer" / "dsreview"
ENGINE = ROOT / "engine" / "dsengine"
FAKE = ROOT / "tests" / "fake_github"

# library: where it may be imported (paths that start with one of these)
HOMES = {
    "unidiff": ("diff_parser.py",),
    "git": ("sources/",),
    "github": ("sources/github_pr", "outputs/github_pr"),
    "requests": ("outputs/github_pr",),
    "truststore": ("models/hub.py", "outputs/github_pr"),
    "typer": ("cli/",),
    "tree_sitter": (
        "languages/",
        "scope.py",
        "symbols/",
        "sandbox/",
        "checks/impact/",
        "outline.py",
    ),
    "ast_grep_py": ("checks/",),
    "httpx": ("backends/", "models/"),
    "rich": ("outputs/", "progress.py", "cli/"),
    "torch": (),
    "transformers": (),
    "llguidance": (),
    "dsengine": ("backends/local.py", "doctor.py", "models/"),
    "starlette": ("server/",),
    "uvicorn": ("server/",),
}

# A module may import only modules of its own rank or a lower one.
RANKS = (
    {"cache", "claims", "durable", "errors", "ignore_patterns", "isolated", "lenient_json"}
    | {"confidence"}
    | {"located_json", "name_rules", "patch", "prompt", "sanitize", "secrets_mask", "severity"},
    {"answer_cache", "backends", "change", "diff_sections", "finding", "line_diff", "progress"}
    | {"models", "server"},
    {"sandbox", "setting_values"},
    {"calibration", "calibration_files", "votes"},
    {"anchors", "answers", "config", "context_rows", "diff_headers", "edits", "languages"},
    {"notebooks", "report", "suppression"},
    {"resident_choice"},
    {"coverage", "diff_parser", "model_choice", "package_words", "scope", "selection", "symbols"},
    {"checks", "constraints", "context_fit", "evidence", "gathering", "outputs", "sources"},
    {"context_outline", "doctor"},
    {"context"},
    {"review_prompt"},
    {"model_review", "repair_prompt"},
    {"check_stage", "model_stage", "repair"},
    {"applying", "pull_scope", "review"},
    {"pull_review", "review_tools"},
    {"benchmark", "githook"},
    {"cli"},
    {"__main__"},
)

SOURCES = sorted(REVIEWER.rglob("*.py"))


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def stage(module):
    """`dsreview.checks.rules` is of the stage `checks`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def rank(name):
    return next((number for number, names in enumerate(RANKS) if name in names), None)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(REVIEWER)))
def test_a_library_is_used_only_in_its_home(path):
    place = path.relative_to(REVIEWER).as_posix()
    for name in imports_of(path):
        homes = HOMES.get(name.split(".")[0])
        assert homes is None or place.startswith(homes), f"{place} imports {name}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(REVIEWER)))
def test_imports_go_one_way(path):
    own = path.relative_to(REVIEWER).parts[0].removesuffix(".py")
    if own in {"__init__", "prompts", "hooks", "rules"}:
        return
    assert rank(own) is not None, f"{own} has no rank"
    for name in imports_of(path):
        other = stage(name)
        if not name.startswith("dsreview.") or rank(other) is None or other == own:
            continue
        assert rank(other) <= rank(own), f"{own} imports {name}"


def test_the_engine_knows_nothing_of_reviewing():
    for path in ENGINE.rglob("*.py"):
        assert not [name for name in imports_of(path) if name.startswith("dsreview")], path


@pytest.mark.parametrize("folder", [REVIEWER, ENGINE, FAKE], ids=lambda folder: folder.name)
def test_files_and_functions_are_short(folder):
    long = []
    for path in folder.rglob("*.py"):
        text = path.read_text()
        if len(text.splitlines()) > 300:
            long.append(f"{path.relative_to(ROOT)}: {len(text.splitlines())} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                statements = node.end_lineno - node.body[0].lineno + 1
                if statements > 50:
                    long.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.name} {statements}")
    assert not long, "\n".join(long)
