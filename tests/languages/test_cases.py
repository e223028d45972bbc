"""Each language has cases of its own."""

import pytest

from dsreview import languages
from dsreview.languages.scopes import enclosing_scopes

MIN_CASES = 4


@pytest.mark.parametrize("language", languages.LANGUAGES, ids=lambda row: row.name)
def test_the_scopes_of_a_language_are_those_of_its_cases(language, cases):
    assert len(cases[language.name]) >= MIN_CASES
    for case, source, expected in cases[language.name]:
        tree = languages.parse(language.name, source)
        chains = enclosing_scopes(tree, language, tuple(expected))
        found = {
            line: [
                f"{scope.kind} {scope.name} {scope.span.start}-{scope.span.last}"
                f" header {scope.header.start}-{scope.header.last}"
                for scope in chain
            ]
            for line, chain in zip(expected, chains, strict=True)
        }
        assert found == expected, case
        assert not tree.root_node.has_error, f"{case} is not valid {language.title}"


def test_no_folder_of_cases_is_without_a_language(cases):
    assert set(cases) == {row.name for row in languages.LANGUAGES}
