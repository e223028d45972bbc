"""Table rows: JavaScript, TypeScript, TSX."""

from dataclasses import replace

from dsreview.languages.base import Language, words

JAVASCRIPT = Language(
    name="javascript",
    title="JavaScript",
    extensions=(".js", ".mjs", ".cjs", ".jsx"),
    filenames=("Jakefile",),
    interpreters=("node", "nodejs", "bun", "deno"),
    ast_grep="javascript",
    grammar="tree_sitter_javascript:language",
    line_comment="//",
    functions=words(
        """function_declaration generator_function_declaration method_definition
        class_static_block"""
    ),
    closures=words("function_expression generator_function arrow_function"),
    types=words("class_declaration class"),
    namespaces=frozenset(),
    wrappers=words("export_statement"),
    prefixes=words("decorator"),
    imports=words("import_statement"),
    calls=words("call_expression.function new_expression.constructor"),
    identifiers=words(
        """identifier property_identifier private_property_identifier
        shorthand_property_identifier shorthand_property_identifier_pattern
        statement_identifier"""
    ),
    definitions=words(
        """function_declaration.name generator_function_declaration.name
        function_expression.name generator_function.name class_declaration.name class.name
        method_definition.name field_definition.property variable_declarator.name
        assignment_expression.left augmented_assignment_expression.left formal_parameters.
        arrow_function.parameter catch_clause.parameter for_in_statement.left
        assignment_pattern.left object_assignment_pattern.left rest_pattern.
        pair_pattern.value object_pattern. array_pattern."""
    ),
    patterns=words(
        """object_pattern array_pattern rest_pattern pair_pattern assignment_pattern
        object_assignment_pattern"""
    ),
    members=words("pair.key pair_pattern.key member_expression.property"),
    member_identifiers=words(
        "property_identifier private_property_identifier statement_identifier"
    ),
    bindings=words(
        """variable_declarator.name assignment_expression.left pair.key
        field_definition.property"""
    ),
    fixed_names=(("class_static_block", "static"),),
    comments=words("comment html_comment"),
)

TYPESCRIPT = replace(
    JAVASCRIPT,
    name="typescript",
    title="TypeScript",
    extensions=(".ts", ".mts", ".cts"),
    filenames=(),
    interpreters=("ts-node", "tsx"),
    ast_grep="typescript",
    grammar="tree_sitter_typescript:language_typescript",
    functions=JAVASCRIPT.functions
    | words("function_signature abstract_method_signature method_signature"),
    types=JAVASCRIPT.types
    | words(
        """abstract_class_declaration interface_declaration enum_declaration
        type_alias_declaration"""
    ),
    namespaces=words("module internal_module"),
    wrappers=JAVASCRIPT.wrappers | words("ambient_declaration"),
    identifiers=JAVASCRIPT.identifiers | words("type_identifier"),
    definitions=JAVASCRIPT.definitions - words("field_definition.property")
    | words(
        """function_signature.name abstract_method_signature.name method_signature.name
        abstract_class_declaration.name interface_declaration.name enum_declaration.name
        enum_body.name enum_assignment.name type_alias_declaration.name internal_module.name
        required_parameter.pattern optional_parameter.pattern public_field_definition.name
        property_signature.name type_parameter.name infer_type."""
    ),
    bindings=JAVASCRIPT.bindings - words("field_definition.property")
    | words("public_field_definition.name"),
)

TSX = replace(
    TYPESCRIPT,
    name="tsx",
    title="TSX",
    extensions=(".tsx",),
    interpreters=(),
    ast_grep="tsx",
    grammar="tree_sitter_typescript:language_tsx",
)
