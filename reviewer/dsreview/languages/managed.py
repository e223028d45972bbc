"""Table rows: Java, Kotlin, C#."""

from dsreview.languages.base import Language, words

JAVA = Language(
    name="java",
    title="Java",
    extensions=(".java",),
    ast_grep="java",
    grammar="tree_sitter_java:language",
    line_comment="//",
    functions=words(
        """method_declaration constructor_declaration compact_constructor_declaration
        static_initializer annotation_type_element_declaration"""
    ),
    closures=words("lambda_expression"),
    types=words(
        """class_declaration interface_declaration enum_declaration record_declaration
        annotation_type_declaration"""
    ),
    namespaces=frozenset(),
    imports=words("import_declaration"),
    calls=words("method_invocation.name object_creation_expression.type"),
    identifiers=words("identifier type_identifier"),
    definitions=words(
        """method_declaration.name constructor_declaration.name
        compact_constructor_declaration.name class_declaration.name interface_declaration.name
        enum_declaration.name record_declaration.name annotation_type_declaration.name
        annotation_type_element_declaration.name enum_constant.name variable_declarator.name
        formal_parameter.name spread_parameter. catch_formal_parameter.name
        enhanced_for_statement.name lambda_expression.parameters inferred_parameters.
        type_parameter. resource.name instanceof_expression.name type_pattern.
        record_pattern_component."""
    ),
    members=words(
        """field_access.field method_invocation.name labeled_statement. break_statement.
        continue_statement. element_value_pair.key package_declaration."""
    ),
    members_behind_first=words("method_reference scoped_identifier"),
    bindings=words("variable_declarator.name assignment_expression.left"),
    fixed_names=(("static_initializer", "static"),),
    comments=words("line_comment block_comment"),
)

KOTLIN = Language(
    name="kotlin",
    title="Kotlin",
    extensions=(".kt", ".kts"),
    interpreters=("kotlin",),
    ast_grep="kotlin",
    grammar="tree_sitter_kotlin:language",
    line_comment="//",
    functions=words(
        """function_declaration secondary_constructor anonymous_initializer
        property_declaration getter setter"""
    ),
    closures=words("lambda_literal anonymous_function"),
    types=words("class_declaration object_declaration companion_object object_literal"),
    namespaces=frozenset(),
    needs_child=words("property_declaration.getter property_declaration.setter"),
    imports=words("import"),
    calls=words("call_expression. constructor_invocation."),
    identifiers=words("identifier"),
    definitions=words(
        """function_declaration.name class_declaration.name object_declaration.name
        companion_object.name class_parameter. parameter. variable_declaration.
        type_parameter. enum_entry. catch_block. type_alias.type assignment.left setter."""
    ),
    members=words("value_argument.name"),
    members_behind_first=words("navigation_expression qualified_identifier"),
    bindings=words("property_declaration.variable_declaration assignment.left"),
    fixed_names=(
        ("secondary_constructor", "constructor"),
        ("anonymous_initializer", "init"),
        ("companion_object", "Companion"),
        ("getter", "get"),
        ("setter", "set"),
    ),
    comments=words("line_comment block_comment"),
)

C_SHARP = Language(
    name="c_sharp",
    title="C#",
    extensions=(".cs", ".csx"),
    ast_grep="csharp",
    grammar="tree_sitter_c_sharp:language",
    line_comment="//",
    functions=words(
        """method_declaration constructor_declaration destructor_declaration
        property_declaration indexer_declaration operator_declaration event_declaration
        conversion_operator_declaration local_function_statement accessor_declaration"""
    ),
    closures=words("lambda_expression anonymous_method_expression"),
    types=words(
        """class_declaration interface_declaration struct_declaration record_declaration
        enum_declaration delegate_declaration"""
    ),
    namespaces=words("namespace_declaration file_scoped_namespace_declaration"),
    needs_body=words("accessor_declaration"),
    imports=words("using_directive extern_alias_directive"),
    calls=words("invocation_expression.function object_creation_expression.type"),
    identifiers=words("identifier"),
    definitions=words(
        """method_declaration.name constructor_declaration.name destructor_declaration.name
        property_declaration.name event_declaration.name local_function_statement.name
        class_declaration.name interface_declaration.name struct_declaration.name
        record_declaration.name enum_declaration.name delegate_declaration.name
        enum_member_declaration.name variable_declarator.name parameter.name
        catch_declaration.name foreach_statement.left type_parameter.name
        declaration_pattern.name declaration_expression.name implicit_parameter.
        tuple_pattern.name assignment_expression.left from_clause.name let_clause.
        parenthesized_variable_designation.name namespace_declaration.name
        file_scoped_namespace_declaration.name"""
    ),
    patterns=words("tuple_pattern parenthesized_variable_designation qualified_name"),
    members=words(
        """member_access_expression.name member_binding_expression.name argument.name
        conditional_access_expression.name labeled_statement. goto_statement."""
    ),
    bindings=words("variable_declarator.name assignment_expression.left"),
    fixed_names=(("indexer_declaration", "this[]"),),
)
