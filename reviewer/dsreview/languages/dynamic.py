"""Table rows: Python, Ruby, PHP, Bash."""

from dsreview.languages.base import Language, words

PYTHON = Language(
    name="python",
    title="Python",
    extensions=(".py", ".pyi", ".pyw"),
    interpreters=("python", "pypy", "uv"),
    filenames=("SConstruct", "SConscript", "wscript"),
    ast_grep="python",
    grammar="tree_sitter_python:language",
    line_comment="#",
    functions=words("function_definition"),
    closures=words("lambda"),
    types=words("class_definition"),
    namespaces=frozenset(),
    wrappers=words("decorated_definition"),
    imports=words("import_statement import_from_statement future_import_statement"),
    calls=words("call.function"),
    identifiers=words("identifier"),
    definitions=words(
        """function_definition.name class_definition.name assignment.left
        augmented_assignment.left named_expression.name parameters. lambda_parameters.
        default_parameter.name typed_default_parameter.name typed_parameter.
        list_splat_pattern. dictionary_splat_pattern. for_statement.left for_in_clause.left
        as_pattern_target. as_pattern.alias global_statement. nonlocal_statement.
        case_pattern. type_parameter. type_alias_statement.left splat_pattern."""
    ),
    patterns=words(
        """pattern_list tuple_pattern list_pattern list_splat_pattern dictionary_splat_pattern
        as_pattern_target case_pattern dotted_name splat_pattern"""
    ),
    members=words("attribute.attribute keyword_argument.name keyword_pattern."),
    bindings=words("assignment.left"),
)

RUBY = Language(
    name="ruby",
    title="Ruby",
    extensions=(".rb", ".rake", ".gemspec", ".ru", ".podspec", ".jbuilder"),
    filenames=(
        "Rakefile",
        "Gemfile",
        "Vagrantfile",
        "Podfile",
        "Fastfile",
        "Guardfile",
        "Brewfile",
    ),
    interpreters=("ruby", "jruby", "macruby", "rake"),
    ast_grep="ruby",
    grammar="tree_sitter_ruby:language",
    line_comment="#",
    functions=words("method singleton_method"),
    closures=words("do_block block"),
    types=words("class singleton_class"),
    namespaces=words("module"),
    imports=frozenset(),  # `require` is a call
    calls=words("call.method"),
    identifiers=words("identifier constant instance_variable class_variable global_variable"),
    definitions=words(
        """method.name singleton_method.name class.name module.name assignment.left
        operator_assignment.left method_parameters. block_parameters. lambda_parameters.
        optional_parameter.name splat_parameter.name hash_splat_parameter.name
        keyword_parameter.name block_parameter.name destructured_parameter. for.pattern
        exception_variable. rest_assignment. alias.name"""
    ),
    patterns=words("left_assignment_list destructured_left_assignment rest_assignment"),
    members=words("call.method hash_key_symbol."),
    bindings=words("assignment.left"),
    fixed_names=(("singleton_class", "self"),),
)

PHP = Language(
    name="php",
    title="PHP",
    extensions=(".php", ".phtml", ".php5", ".phpt", ".inc"),
    interpreters=("php",),
    ast_grep="php",
    grammar="tree_sitter_php:language_php",
    line_comment="//",
    functions=words("function_definition method_declaration property_hook"),
    closures=words("anonymous_function arrow_function"),
    types=words(
        """class_declaration interface_declaration trait_declaration enum_declaration
        anonymous_class"""
    ),
    namespaces=words("namespace_definition"),
    needs_body=words("namespace_definition"),
    imports=words("namespace_use_declaration"),
    calls=words(
        """function_call_expression.function member_call_expression.name
        nullsafe_member_call_expression.name scoped_call_expression.name
        object_creation_expression."""
    ),
    identifiers=words("name"),
    definitions=words(
        """function_definition.name method_declaration.name class_declaration.name
        interface_declaration.name trait_declaration.name enum_declaration.name
        enum_case.name const_element. simple_parameter.name variadic_parameter.name
        property_promotion_parameter.name property_element.name assignment_expression.left
        reference_assignment_expression.left foreach_statement. pair. catch_clause.name
        static_variable_declaration.name global_declaration."""
    ),
    patterns=words("variable_name list_literal array_creation_expression pair by_ref"),
    members=words(
        """member_access_expression.name nullsafe_member_access_expression.name
        member_call_expression.name nullsafe_member_call_expression.name
        scoped_call_expression.name class_constant_access_expression. argument.name
        scoped_property_access_expression.name namespace_name."""
    ),
    bindings=words("assignment_expression.left"),
)

BASH = Language(
    name="bash",
    title="Bash",
    extensions=(".sh", ".bash", ".bats", ".ksh", ".zsh"),
    filenames=(".bashrc", ".bash_profile", ".bash_aliases", ".profile", "PKGBUILD", "APKBUILD"),
    interpreters=("bash", "sh", "dash", "ksh", "zsh", "ash", "bats"),
    ast_grep="bash",
    grammar="tree_sitter_bash:language",
    line_comment="#",
    functions=words("function_definition"),
    closures=frozenset(),
    types=frozenset(),
    namespaces=frozenset(),
    imports=frozenset(),  # `source` is a command
    calls=words("command_name."),
    identifiers=words("variable_name word"),
    definitions=words(
        """function_definition.name variable_assignment.name for_statement.variable
        declaration_command."""
    ),
    member_identifiers=words("word"),
)
