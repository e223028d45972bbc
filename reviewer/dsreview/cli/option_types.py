"""Options of several commands, each with its name and what its help says.

Those that set a field of `Config` carry its name; their default None means "not given",
so that files and the environment have their say.
"""

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[
    Path,
    typer.Option(
        "-C", metavar="DIR", exists=True, file_okay=False, help="Run as if started in DIR."
    ),
]
Staged = Annotated[bool, typer.Option("--staged", "--cached", help="What would be committed now.")]
Commit = Annotated[str, typer.Option(metavar="SHA", help="One commit, against its first parent.")]
Untracked = Annotated[
    bool, typer.Option("--untracked", help="With files that git does not know yet.")
]
FailOn = Annotated[
    str | None,
    typer.Option(metavar="SEVERITY", help="Mildest finding that makes the exit code 1."),
]
MinSeverity = Annotated[
    str | None, typer.Option(metavar="SEVERITY", help="Milder findings are left out.")
]
MinConfidence = Annotated[
    str | None, typer.Option(metavar="SHARE", help="Less sure findings, 0 to 1, are left out.")
]
Votes = Annotated[
    str | None, typer.Option(metavar="N", help="Answers a context; what most find is reported.")
]
Examples = Annotated[
    bool | None,
    typer.Option("--examples/--no-examples", help="Show the model worked examples."),
]
PartialOk = Annotated[
    bool | None, typer.Option("--partial-ok", help="Exit 0, not 3, where not all was seen.")
]
Budget = Annotated[
    str | None, typer.Option("--budget", metavar="TIME", help="Stop after, say, 60s or 2m.")
]
MaxTokens = Annotated[
    str | None, typer.Option(metavar="N", help="Tokens the model may read and write in all.")
]
MaxRounds = Annotated[
    str | None,
    typer.Option(metavar="N", help="Asks for one suggestion in all."),
]
ContextMode = Annotated[
    str | None,
    typer.Option("--context", metavar="MODE", help="Shown around it: bare, hunk, scope, outline."),
]
Disable = Annotated[
    list[str] | None, typer.Option(metavar="RULE", help="Do not run this rule; repeatable.")
]
Exclude = Annotated[
    list[str] | None, typer.Option(metavar="GLOB", help="Do not review these; repeatable.")
]
Model = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="A folder (/..., ./..., ~/...), a cached name, or auto."),
]
BackendName = Annotated[
    str | None, typer.Option(metavar="NAME", help="auto, none, local, http or scripted.")
]
Device = Annotated[str | None, typer.Option(metavar="NAME", help="auto, mps, cuda or cpu.")]
Runner = Annotated[str | None, typer.Option(metavar="NAME", help="auto, torch, llama.cpp or mlx.")]
Weights = Annotated[str | None, typer.Option(metavar="KIND", help="auto, full, int8 or int4.")]
BatchSize = Annotated[
    str | None, typer.Option(metavar="N", help="Contexts the local model answers at once.")
]
Window = Annotated[
    str | None,
    typer.Option(metavar="N", help="Tokens the http server takes in all."),
]
ApiKeyEnv = Annotated[
    str | None, typer.Option(metavar="VARIABLE", help="Variable with the server's key.")
]
Cache = Annotated[
    bool | None, typer.Option("--cache/--no-cache", help="Keep answers for unchanged code.")
]
MaxFindings = Annotated[
    str | None, typer.Option(metavar="N", help="Findings shown in full; the rest is counted.")
]
ServerUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="An OpenAI-compatible server, for http.")
]
Daemon = Annotated[
    bool | None,
    typer.Option("--daemon/--no-daemon", help="Start the resident server, or load the model here."),
]
