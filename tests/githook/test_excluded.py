"""What a repository excludes is said; what the user excludes is not."""

import pytest

BUG = "def add(item, items=[]):\n    items.append(item)\n    return items\n"


@pytest.mark.parametrize(
    ("name", "settings", "where"),
    [
        (".dsreview.toml", 'exclude = ["*"]\n', "exclude"),
        ("pyproject.toml", '[tool.dsreview]\nexclude = ["*.py"]\n', "exclude"),
        (".dsreviewignore", "*\n", ".dsreviewignore"),
    ],
)
def test_code_that_the_repository_excludes_is_counted(hooked, name, settings, where):
    hooked.repository.commit({name: settings})
    hooked.settings.write_text('mode = "block"\n')
    ran = hooked.commit({"one.py": BUG, "two.py": BUG, "guide.md": "words\n"})
    words = f"dsreview: 2 files not reviewed: excluded by the repository ({where})\n"
    assert (ran.code, ran.err) == (0, words)


def test_what_the_user_excludes_is_left_out_in_silence(hooked):
    hooked.settings.write_text('exclude = ["*.py"]\n')
    assert hooked.commit({"one.py": BUG}).err == ""


def test_prose_is_left_out_in_silence(hooked):
    hooked.repository.commit({".dsreview.toml": 'exclude = ["*"]\n'})
    assert hooked.commit({"Makefile": "all:\n", "guide.md": "words\n"}).err == ""
