"""Table rows: C, C++, Go, Rust, Swift."""

from dataclasses import replace

from dsreview.languages.base import Language, words

C = Language(
    name="c",
    title="C",
    extensions=(".c", ".h"),
    ast_grep="c",
    grammar="tree_sitter_c:language",
    line_comment="//",
    functions=words("function_definition preproc_function_def"),
    closures=frozenset(),
    types=words("struct_specifier enum_specifier union_specifier"),
    namespaces=frozenset(),
    needs_body=words("struct_specifier enum_specifier union_specifier"),
    imports=words("preproc_include"),
    calls=words("call_expression.function"),
    identifiers=words("identifier type_identifier field_identifier statement_identifier"),
    definitions=words(
        """function_declarator.declarator preproc_function_def.name preproc_def.name
        preproc_params. struct_specifier.name enum_specifier.name union_specifier.name
        enumerator.name type_definition.declarator declaration.declarator
        init_declarator.declarator parameter_declaration.declarator
        pointer_declarator.declarator array_declarator.declarator
        field_declaration.declarator assignment_expression.left"""
    ),
    patterns=words(
        """pointer_declarator array_declarator function_declarator parenthesized_declarator
        init_declarator attributed_declarator"""
    ),
    member_identifiers=words("field_identifier statement_identifier"),
    bindings=words("type_definition.declarator field_declaration.declarator"),
)

CPP = replace(
    C,
    name="cpp",
    title="C++",
    extensions=(
        *(".cpp", ".cc", ".cxx", ".c++", ".cp", ".hpp", ".hh", ".hxx", ".h++", ".ipp"),
        *(".inl", ".tpp", ".txx", ".cu", ".cuh"),
    ),
    ast_grep="cpp",
    grammar="tree_sitter_cpp:language",
    closures=words("lambda_expression"),
    types=C.types | words("class_specifier concept_definition"),
    namespaces=words("namespace_definition"),
    needs_body=C.needs_body | words("class_specifier"),
    wrappers=words("template_declaration"),
    imports=words("preproc_include using_declaration namespace_alias_definition"),
    calls=words("call_expression.function new_expression.type"),
    identifiers=C.identifiers | words("namespace_identifier"),
    definitions=C.definitions
    | words(
        """class_specifier.name namespace_definition.name concept_definition.name
        alias_declaration.name type_parameter_declaration. for_range_loop.declarator
        reference_declarator. optional_parameter_declaration.declarator
        variadic_declarator. lambda_capture_initializer.left structured_binding_declarator.
        optional_type_parameter_declaration.name nested_namespace_specifier."""
    ),
    patterns=C.patterns
    | words(
        """structured_binding_declarator variadic_declarator nested_namespace_specifier
        reference_declarator"""
    ),
    members=words("qualified_identifier.name field_initializer."),
    bindings=C.bindings | words("init_declarator.declarator assignment_expression.left"),
)

GO = Language(
    name="go",
    title="Go",
    extensions=(".go",),
    ast_grep="go",
    grammar="tree_sitter_go:language",
    line_comment="//",
    functions=words("function_declaration method_declaration"),
    closures=words("func_literal"),
    types=words("type_spec type_alias"),
    namespaces=frozenset(),
    wrappers=words("type_declaration"),
    imports=words("import_declaration"),
    calls=words("call_expression.function"),
    identifiers=words("identifier type_identifier field_identifier package_identifier label_name"),
    definitions=words(
        """function_declaration.name method_declaration.name type_spec.name type_alias.name
        parameter_declaration.name variadic_parameter_declaration.name
        type_parameter_declaration.name short_var_declaration.left var_spec.name
        const_spec.name range_clause.left assignment_statement.left receive_statement.left
        type_switch_statement.alias field_declaration.name package_clause."""
    ),
    patterns=words("expression_list"),
    members=words("keyed_element.key"),
    member_identifiers=words("field_identifier label_name"),
    bindings=words(
        "short_var_declaration.left var_spec.name assignment_statement.left keyed_element.key"
    ),
)

RUST = Language(
    name="rust",
    title="Rust",
    extensions=(".rs",),
    interpreters=("rust-script", "cargo"),
    ast_grep="rust",
    grammar="tree_sitter_rust:language",
    line_comment="//",
    functions=words("function_item function_signature_item macro_definition"),
    closures=words("closure_expression"),
    types=words("impl_item trait_item struct_item enum_item union_item"),
    namespaces=words("mod_item foreign_mod_item"),
    needs_body=words("mod_item"),
    prefixes=words("attribute_item"),
    imports=words("use_declaration extern_crate_declaration"),
    calls=words("call_expression.function macro_invocation.macro"),
    identifiers=words("identifier type_identifier field_identifier shorthand_field_identifier"),
    definitions=words(
        """function_item.name function_signature_item.name macro_definition.name
        trait_item.name struct_item.name enum_item.name union_item.name mod_item.name
        type_item.name const_item.name static_item.name enum_variant.name
        field_declaration.name parameter.pattern closure_parameters. let_declaration.pattern
        for_expression.pattern match_pattern. let_condition.pattern type_parameter.name
        const_parameter.name token_binding_pattern.name captured_pattern. mut_pattern.
        ref_pattern. field_pattern.name assignment_expression.left"""
    ),
    patterns=words(
        """tuple_pattern tuple_struct_pattern struct_pattern field_pattern mut_pattern
        ref_pattern reference_pattern slice_pattern captured_pattern or_pattern match_pattern"""
    ),
    members=words("scoped_identifier.name scoped_type_identifier.name attribute."),
    member_identifiers=words("field_identifier"),
    bindings=words("let_declaration.pattern field_initializer.field"),
    comments=words("line_comment block_comment"),
)

SWIFT = Language(
    name="swift",
    title="Swift",
    extensions=(".swift",),
    interpreters=("swift",),
    ast_grep="swift",
    grammar="tree_sitter_swift:language",
    line_comment="//",
    functions=words(
        """function_declaration init_declaration deinit_declaration subscript_declaration
        property_declaration protocol_function_declaration"""
    ),
    closures=words("lambda_literal"),
    types=words("class_declaration protocol_declaration"),
    namespaces=frozenset(),
    needs_child=words(
        "property_declaration.computed_property property_declaration.willset_didset_block"
    ),
    imports=words("import_declaration"),
    calls=words("call_expression."),
    identifiers=words("simple_identifier type_identifier"),
    definitions=words(
        """function_declaration.name class_declaration.name protocol_declaration.name
        protocol_function_declaration.name parameter.name lambda_parameter.name pattern.
        pattern.bound_identifier enum_entry.name typealias_declaration.name type_parameter.
        associatedtype_declaration.name for_statement.item directly_assignable_expression."""
    ),
    patterns=words("pattern"),
    members=words("navigation_suffix.suffix value_argument_label. parameter.external_name"),
    bindings=words("property_declaration.name assignment.target"),
    fixed_names=(
        ("init_declaration", "init"),
        ("deinit_declaration", "deinit"),
        ("subscript_declaration", "subscript"),
    ),
    comments=words("comment multiline_comment"),
)
