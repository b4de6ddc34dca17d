"""How does a p4p value become JSON that loses nothing? The TypeScript side is tagged.ts."""

import math

import numpy
from p4p import Value

SAFE = 2**53
EMPTY = {
    "a" + code: name
    for code, name in zip(
        "?bBhHiIlLfd",
        ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"],
    )
}


def to_json(value):
    """Numbers that JSON cannot carry, arrays and structures are objects with one tag."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, numpy.bool_):
        return bool(value)
    if isinstance(value, (int, numpy.integer)):
        whole = int(value)
        return whole if -SAFE < whole < SAFE else {"int": str(whole)}
    if isinstance(value, (float, numpy.floating)):
        number = float(value)
        if math.isnan(number) or math.isinf(number) or (number == 0 and math.copysign(1, number) < 0):
            return {"float": repr(number)}
        return number
    if isinstance(value, numpy.ndarray):
        return {"array": value.dtype.name, "items": [to_json(item) for item in value]}
    if isinstance(value, Value):
        fields = {name: field_to_json(value, name) for name in value.keys()}
        return {"structure": value.getID(), "fields": fields, "changed": sorted(value.changedSet())}
    if isinstance(value, tuple) and len(value) == 2:
        return {"union": value[0], "value": to_json(value[1])}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    raise TypeError(f"no JSON form for {type(value)}")


def field_to_json(structure, name):
    """p4p shows an empty array of numbers as None."""
    value = structure[name]
    code = structure.type().aspy(name) if value is None else ""
    if isinstance(code, str) and code in EMPTY:
        return {"array": EMPTY[code], "items": []}
    return to_json(value)


def type_to_json(spec):
    """A type as p4p spells it: a code such as "ad", or [code, id, [[name, type], ...]] for what has members."""
    if isinstance(spec, str):
        return spec
    code, type_id, fields = spec
    return [code, type_id, [[name, type_to_json(member)] for name, member in fields]]


def from_json(value):
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if isinstance(value, dict):
        if set(value) == {"int"}:
            return int(value["int"])
        if set(value) == {"float"}:
            return float(value["float"])
        if set(value) == {"union", "value"}:
            return (value["union"], from_json(value["value"]))
        if set(value) == {"array", "items"}:
            return numpy.array([from_json(item) for item in value["items"]], dtype=value["array"])
        return {name: from_json(item) for name, item in value.items()}
    return value
