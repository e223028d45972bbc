"""The rules, one YAML file each: `<language>/<id>.yml`, and nothing else.

A file is an ast-grep rule, as ast-grep documents it. Ours stands in `metadata.dsreview`:

    severity    low, medium, high or critical, by harm (`finding.Severity`)
    confidence  how often a match is a fault, 0 to 1
    scenario    a concrete situation and what goes wrong in it; may name $VARIABLES
    languages   where it is tried, if not only in `language`
    filters     names in `checks/rule_filters.py`: what YAML cannot say of a match
    finder      a name in its FINDERS: which nodes inside the match are meant
    safe_fix    true: `fix` is offered as a suggestion
    valid       code on which the rule is silent: near misses
    invalid     code in which it finds something: `code`, `lines` (the first line of each
                finding) and, of a rule with a safe fix, `fixed`

ast-grep takes two texts for equal where their escape sequences are, whatever stands
between them: a rule that names a variable twice needs the filter `same_operands`,
`same_branches` or `same_texts`. Constraints are looked at last: what is cheap and seldom
goes into `rule`.

A match is reported where what the rule is about is on an added line. That is the first
line of the match, or, where a match is long, the variables with `style: primary` in
ast-grep's `labels`. The id starts with the language's short name: py-, js-, go-, ...
"""
