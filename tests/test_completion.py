"""`--install-completion` in the shells themselves, in a home of their own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("dsreview")

ASK = {
    "bash": 'COMP_WORDS=(dsreview hook r); COMP_CWORD=2; _dsreview_completion dsreview; echo "$COMPREPLY"',
    "fish": 'complete -C "dsreview hook r"',
    "zsh": "echo $_comps[dsreview]; words=(dsreview hook r); CURRENT=3; "
    "_arguments() { print -r -- $@ }; autoload +X _dsreview; "
    "_dsreview 2>/dev/null; _dsreview_completion",
}


@pytest.mark.skipif(not PROGRAM.exists(), reason="dsreview is not installed beside Python")
@pytest.mark.parametrize("shell", ASK)
def test_a_shell_completes_after_the_install(shell, tmp_path):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    environment = {"HOME": str(tmp_path), "PATH": f"{PROGRAM.parent}{os.pathsep}{os.defpath}"}

    def run(*arguments):
        answer = subprocess.run(
            [shell, *arguments],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return answer.stdout

    # not as the last command: the shell would make way for it, and could not be told apart
    assert f"{shell} completion installed" in run("-c", "dsreview --install-completion; true")
    assert "run" in run("-i", "-c", ASK[shell])
