"""Whether the arguments of a call fit a list of parameters, and if not, why."""

from collections.abc import Sequence

from dsreview.symbols import Call, Parameter, ParameterKind

_POSITIONAL = (ParameterKind.POSITIONAL_ONLY, ParameterKind.POSITIONAL)


def misfit(
    parameters: Sequence[Parameter], call: Call, *, checks_missing: bool = True
) -> str | None:
    """What is wrong with `call`, or None where it fits or may fit.

    `parameters` are those that the caller fills: without `self`. `checks_missing` is
    False for JavaScript, where a call may leave any argument out.
    """
    if call.has_spread:
        return None
    places = [one for one in parameters if one.kind in _POSITIONAL]
    is_variadic = any(one.kind is ParameterKind.VARIADIC for one in parameters)
    if call.num_positional > len(places) and not is_variadic:
        return f"takes {_count(len(places))} but {call.num_positional} {_are(call)} given"
    unknown = _unknown_keyword(parameters, call)
    if unknown is not None:
        return f"has no parameter {unknown!r}"
    given = {one.name for one in places[: call.num_positional]} | set(call.keywords)
    required = [one for one in parameters if _is_required(one)]
    missing = [one for one in required if one.name not in given or not one.name]
    if not checks_missing:
        return None
    if not call.keywords and all(one.kind in _POSITIONAL for one in required):
        num_required = sum(one in required for one in places)
        if call.num_positional >= num_required:
            return None
    if missing:
        return _describe_missing(missing, len(places), call)
    return None


def _is_required(one: Parameter) -> bool:
    named = one.kind in (*_POSITIONAL, ParameterKind.KEYWORD_ONLY)
    return named and not one.has_default


def _unknown_keyword(parameters: Sequence[Parameter], call: Call) -> str | None:
    if any(one.kind is ParameterKind.KEYWORDS for one in parameters):
        return None
    by_name = (ParameterKind.POSITIONAL, ParameterKind.KEYWORD_ONLY)
    names = {one.name for one in parameters if one.kind in by_name}
    return next((name for name in call.keywords if name not in names), None)


def _describe_missing(missing: Sequence[Parameter], num_places: int, call: Call) -> str:
    names = [one.name for one in missing if one.name]
    if len(names) == len(missing):
        plural = "s" if len(names) > 1 else ""
        return f"needs the argument{plural} " + ", ".join(repr(name) for name in names)
    return f"takes {_count(num_places)} but {call.num_positional} {_are(call)} given"


def _count(number: int) -> str:
    return f"{number} argument" if number == 1 else f"{number} arguments"


def _are(call: Call) -> str:
    return "is" if call.num_positional == 1 else "are"
