#!/usr/bin/env python3
"""Which bytes does Python's msgpack make of the messages, values and conversations that docs/msgpack.md describes?

    .venv/bin/python test/vectors/msgpack/make_vectors.py

writes messages.json, values.json and conversations.json beside it; with --check it fails if they were others. The messages are those of
test/support/message-samples.ts, put here into lists by hand after docs/msgpack.md, and so are the conversations; nothing of pvkit takes part. The package is that of test/interop/requirements.txt.
"""

import json
import math
import pathlib
import struct
import sys

import msgpack

GUID = "0102030405060708090a0b0c"
SID, IOID = 0x01020304, 0x10203040
NO = [2, "no", ""]
OK = None

SAMPLE = {"kind": "structure", "id": "s", "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": "string"}]}
OTHER = {"kind": "structure", "id": "", "fields": [{"name": "c", "type": "int"}]}
VALUE = {"a": 42, "b": "hi"}
EMPTY = {"kind": "structure", "id": "", "fields": []}
PV_REQUEST = [{"kind": "structure", "id": "", "fields": [{"name": "field", "type": EMPTY}]}, {"field": {}}]
CREDENTIALS = {"kind": "structure", "id": "", "fields": [{"name": "user", "type": "string"}, {"name": "host", "type": "string"}]}

CLIENT, SERVER = "client", "server"


def shorts(*elements):
    return msgpack.ExtType(0x21, struct.pack(f"<{len(elements)}h", *elements))


MESSAGES = [
    (SERVER, 0x00, "BEACON", [GUID, 0, 7, 0x0102, "127.0.0.1", 5075, "tcp", None]),
    (SERVER, 0x00, "BEACON with a status", [GUID, 1, 255, 0, "::", 1, "tls", [SAMPLE, VALUE]]),
    (CLIENT, 0x03, "SEARCH", [0x0A0B0C0D, 0x81, "127.0.0.1", 0xABCD, ["tls", "tcp"], [[1, "a"], [0xFFFFFFFE, "bc"]]]),
    (CLIENT, 0x03, "SEARCH for every server", [0, 1, "::", 0, [], []]),
    (SERVER, 0x04, "SEARCH_RESPONSE", [GUID, 0x0A0B0C0D, "127.0.0.1", 5075, "tcp", True, [1, 0xFFFFFFFE]]),
    (SERVER, 0x04, "SEARCH_RESPONSE that found nothing", [GUID, 1, "::", 0, "tcp", False, []]),
    (CLIENT, 0x16, "ORIGIN_TAG", ["127.0.0.1"]),
    (SERVER, 0x16, "ORIGIN_TAG", ["127.0.0.1"]),
    (SERVER, 0x01, "CONNECTION_VALIDATION request", [0x10000, 0x7FFF, ["anonymous", "ca"]]),
    (CLIENT, 0x01, "CONNECTION_VALIDATION response, ca",
     [0x4400, 0x7FFF, 0x0203, "ca", [CREDENTIALS, {"user": "me", "host": ""}]]),
    (CLIENT, 0x01, "CONNECTION_VALIDATION response, anonymous", [0, 0, 0, "anonymous", None]),
    (SERVER, 0x09, "CONNECTION_VALIDATED", [OK]),
    (SERVER, 0x09, "CONNECTION_VALIDATED that refuses", [NO]),
    (CLIENT, 0x02, "ECHO", [b"\1\2\3"]),
    (SERVER, 0x02, "ECHO", [b"\1\2\3"]),
    (CLIENT, 0x05, "AUTHNZ without data", [None]),
    (SERVER, 0x05, "AUTHNZ without data", [None]),
    (CLIENT, 0x05, "AUTHNZ", [["string", "x"]]),
    (SERVER, 0x05, "AUTHNZ", [["string", "x"]]),
    (CLIENT, 0x12, "MESSAGE", [IOID, 1, "mind"]),
    (SERVER, 0x12, "MESSAGE", [IOID, 1, "mind"]),
    (SERVER, 0x06, "ACL_CHANGE", [9, 5]),
    (SERVER, 0x06, "ACL_CHANGE of another form", [bytes.fromhex("00000009010000000101")]),
    (CLIENT, 0x07, "CREATE_CHANNEL", [[[1, "a"], [2, "bc"]]]),
    (SERVER, 0x07, "CREATE_CHANNEL reply", [1, SID, OK]),
    (SERVER, 0x07, "CREATE_CHANNEL reply that refuses", [1, 0xFFFFFFFF, NO]),
    (CLIENT, 0x08, "DESTROY_CHANNEL", [SID, 1]),
    (SERVER, 0x08, "DESTROY_CHANNEL", [SID, 1]),
    (CLIENT, 0x0A, "GET init", [SID, IOID, 0x08, PV_REQUEST]),
    (CLIENT, 0x0A, "GET exec", [SID, IOID, 0x50]),
    (SERVER, 0x0A, "GET init reply", [IOID, 0x08, OK, SAMPLE]),
    (SERVER, 0x0A, "GET init reply that refuses", [IOID, 0x08, NO]),
    (SERVER, 0x0A, "GET reply", [IOID, 0x40, [1, "hm", ""], VALUE]),
    (SERVER, 0x0A, "GET reply that refuses", [IOID, 0, NO]),
    (CLIENT, 0x0B, "PUT init", [SID, IOID, 0x08, PV_REQUEST]),
    (CLIENT, 0x0B, "PUT get-put", [SID, IOID, 0x40]),
    (CLIENT, 0x0B, "PUT exec, the last", [SID, IOID, 0x10, {"b": "hi"}]),
    (SERVER, 0x0B, "PUT init reply", [IOID, 0x08, OK, SAMPLE]),
    (SERVER, 0x0B, "PUT get-put reply", [IOID, 0x40, OK, VALUE]),
    (SERVER, 0x0B, "PUT get-put reply that refuses", [IOID, 0x40, NO]),
    (SERVER, 0x0B, "PUT reply", [IOID, 0, OK]),
    (CLIENT, 0x0C, "PUT_GET init", [SID, IOID, 0x08, None]),
    (CLIENT, 0x0C, "PUT_GET exec", [SID, IOID, 0, {"b": "hi"}]),
    (CLIENT, 0x0C, "PUT_GET get-get", [SID, IOID, 0x40]),
    (CLIENT, 0x0C, "PUT_GET get-put", [SID, IOID, 0x80]),
    (SERVER, 0x0C, "PUT_GET init reply", [IOID, 0x08, OK, SAMPLE, OTHER]),
    (SERVER, 0x0C, "PUT_GET init reply that refuses", [IOID, 0x08, NO]),
    (SERVER, 0x0C, "PUT_GET reply", [IOID, 0, OK, {"c": -1}]),
    (SERVER, 0x0C, "PUT_GET get-get reply", [IOID, 0x40, OK, {"c": -1}]),
    (SERVER, 0x0C, "PUT_GET get-put reply", [IOID, 0x80, OK, VALUE]),
    (SERVER, 0x0C, "PUT_GET reply that refuses", [IOID, 0x10, NO]),
    (CLIENT, 0x0D, "MONITOR init", [SID, IOID, 0x08, PV_REQUEST]),
    (CLIENT, 0x0D, "MONITOR init with a window", [SID, IOID, 0x88, PV_REQUEST, 4]),
    (CLIENT, 0x0D, "MONITOR start", [SID, IOID, 0x44]),
    (CLIENT, 0x0D, "MONITOR acknowledgement, stop and last", [SID, IOID, 0x94, 3]),
    (SERVER, 0x0D, "MONITOR init reply", [IOID, 0x08, OK, SAMPLE]),
    (SERVER, 0x0D, "MONITOR update", [IOID, 0, {"b": "hi"}, {"b": True}]),
    (SERVER, 0x0D, "MONITOR end", [IOID, 0x10, OK]),
    (SERVER, 0x0D, "MONITOR end with a last update", [IOID, 0x10, OK, VALUE, {"a": True, "b": True}]),
    (SERVER, 0x0D, "MONITOR start that is refused", [IOID, 0x44, NO]),
    (CLIENT, 0x0E, "ARRAY init", [SID, IOID, 0x08, PV_REQUEST]),
    (CLIENT, 0x0E, "ARRAY get", [SID, IOID, 0x50, 1, 1000, 2]),
    (CLIENT, 0x0E, "ARRAY put", [SID, IOID, 0, 1, 1, shorts(1, -2)]),
    (CLIENT, 0x0E, "ARRAY set length", [SID, IOID, 0x80, 254]),
    (CLIENT, 0x0E, "ARRAY get length", [SID, IOID, 0x04]),
    (SERVER, 0x0E, "ARRAY init reply", [IOID, 0x08, OK, "short[]"]),
    (SERVER, 0x0E, "ARRAY get reply", [IOID, 0x40, OK, shorts(1, -2)]),
    (SERVER, 0x0E, "ARRAY get reply that refuses", [IOID, 0x40, NO]),
    (SERVER, 0x0E, "ARRAY get length reply", [IOID, 0x04, OK, 5]),
    (SERVER, 0x0E, "ARRAY get length reply that refuses", [IOID, 0x04, NO]),
    (SERVER, 0x0E, "ARRAY put reply", [IOID, 0, OK]),
    (SERVER, 0x0E, "ARRAY set length reply", [IOID, 0x80, OK]),
    (CLIENT, 0x0F, "DESTROY_REQUEST", [SID, IOID]),
    (CLIENT, 0x15, "CANCEL_REQUEST", [SID, IOID]),
    (CLIENT, 0x10, "PROCESS init", [SID, IOID, 0x08, PV_REQUEST]),
    (CLIENT, 0x10, "PROCESS exec", [SID, IOID, 0x10]),
    (SERVER, 0x10, "PROCESS init reply", [IOID, 0x08, OK]),
    (SERVER, 0x10, "PROCESS reply", [IOID, 0, NO]),
    (CLIENT, 0x11, "GET_FIELD", [SID, IOID, "a.b"]),
    (SERVER, 0x11, "GET_FIELD reply", [IOID, OK, "double"]),
    (SERVER, 0x11, "GET_FIELD reply that refuses", [IOID, NO]),
    (CLIENT, 0x14, "RPC init", [SID, IOID, 0x08, PV_REQUEST]),
    (CLIENT, 0x14, "RPC exec", [SID, IOID, 0x10, [SAMPLE, VALUE]]),
    (SERVER, 0x14, "RPC init reply", [IOID, 0x08, OK]),
    (SERVER, 0x14, "RPC reply", [IOID, 0, OK, [OTHER, {"c": 7}]]),
    (SERVER, 0x14, "RPC reply without a result", [IOID, 0x10, OK, None]),
    (SERVER, 0x14, "RPC reply that refuses", [IOID, 0, NO]),
]

ARRAYS = {
    "byte": (0x20, "b"), "short": (0x21, "h"), "int": (0x22, "i"), "long": (0x23, "q"),
    "ubyte": (0x24, "B"), "ushort": (0x25, "H"), "uint": (0x26, "I"), "ulong": (0x27, "Q"),
    "float": (0x42, "f"), "double": (0x43, "d"),
}
RANGES = {
    "byte": (-0x80, 0x7F), "ubyte": (0, 0xFF), "short": (-0x8000, 0x7FFF), "ushort": (0, 0xFFFF),
    "int": (-(2**31), 2**31 - 1), "uint": (0, 2**32 - 1), "long": (-(2**63), 2**63 - 1), "ulong": (0, 2**64 - 1),
}
UNION = {"kind": "union", "id": "u", "fields": [{"name": "n", "type": "int"}, {"name": "text", "type": "string"}]}
POINT = {"kind": "structure", "id": "", "fields": [{"name": "x", "type": "short"}, {"name": "on", "type": "boolean"}]}
LIST_OF_POINTS = {**POINT, "kind": "structure[]"}
LIST_OF_UNIONS = {**UNION, "kind": "union[]"}
NESTED = {"kind": "structure", "id": "epics:nt/x:1.0", "fields": [
    {"name": "point", "type": POINT}, {"name": "größe", "type": "double"}, {"name": "__proto__", "type": "string(8)"}]}


def elements(name, values):
    code, kind = ARRAYS[name]
    return msgpack.ExtType(code, struct.pack(f"<{len(values)}{kind}", *values))


def number(value):
    """As pvkit prints it in JSON: past 2^53 - 1, and what JSON does not have, as text."""
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def values():
    """A type, a value as msgpack takes it, and what pvkit prints of it as JSON."""
    yield "boolean", True, True
    yield "boolean", False, False
    for name, (low, high) in RANGES.items():
        for value in sorted({low, high, 0, 1, -1, -32, -33, 127, 128, 255, 256, 65535, 65536, 2**32, 2**53, -(2**31) - 1}):
            if low <= value <= high:
                yield name, value, number(value)
        edges = [low, high, 0]
        yield f"{name}[]", elements(name, edges), [number(value) for value in edges]
    for value in (0.0, 1.5, -2.25, 1e300, 5e-324, math.nan, math.inf, -math.inf):
        yield "double", value, number(value)
    for value in (0.0, 1.5, -0.5, math.nan, math.inf, -math.inf):
        yield "float", value, number(value)
    yield "double[]", elements("double", [0.5, -math.inf]), [0.5, "-Infinity"]
    yield "double[]", elements("double", []), []
    yield "float[2]", elements("float", [0.5, 2]), [0.5, 2]
    yield "ubyte<300>", elements("ubyte", [7] * 300), [7] * 300
    for length in (0, 1, 31, 32, 255, 256):
        yield "string", "x" * length, "x" * length
    yield "string", "µ°C 漢字 😀", "µ°C 漢字 😀"
    yield "string(4)", "abcd", "abcd"
    yield "string[]", ["a", "", "bc"], ["a", "", "bc"]
    yield "boolean[]", [True, False] * 10, [True, False] * 10
    yield UNION, None, None
    yield UNION, {"text": "chosen"}, {"select": "text", "value": "chosen"}
    yield LIST_OF_UNIONS, [{"n": -1}, None], [{"select": "n", "value": -1}, None]
    yield POINT, {"x": -3, "on": True}, {"x": -3, "on": True}
    yield LIST_OF_POINTS, [{"x": 1, "on": False}, None], [{"x": 1, "on": False}, None]
    yield "any", None, None
    yield "any", ["int[]", elements("int", [1, -2])], {"type": "int[]", "value": [1, -2]}
    yield "any", [POINT, {"x": 0, "on": True}], {"type": POINT, "value": {"x": 0, "on": True}}
    yield "any[]", [["double", 0.5], None], [{"type": "double", "value": 0.5}, None]
    nested = {"point": {"x": 1, "on": True}, "größe": 0.25, "__proto__": "safe"}
    yield NESTED, nested, nested


def structure(id_, **fields):
    return {"kind": "structure", "id": id_, "fields": [{"name": name, "type": type_} for name, type_ in fields.items()]}


def request(*names, **options):
    """A pvRequest for these fields, and the options that stand in record._options."""
    record = {"record": structure("", _options=structure("", **{name: "string" for name in options}))} if options else {}
    values = {"record": {"_options": options}} if options else {}
    return [structure("", **record, field=structure("", **{name: EMPTY for name in names})),
            {**values, "field": {name: {} for name in names}}]


ALARM = structure("alarm_t", severity="int", status="int", message="string")
TIME_STAMP = structure("time_t", secondsPastEpoch="long", nanoseconds="int", userTag="int")


def nt(kind, value):
    return structure(f"epics:nt/{kind}:1.0", value=value, alarm=ALARM, timeStamp=TIME_STAMP)


SCALAR, TEXT = nt("NTScalar", "double"), nt("NTScalar", "string")
VALUE_ONLY = request("value")
ARGUMENT = [structure("epics:nt/NTURI:1.0", scheme="string", path="string", query=structure("", lhs="double", rhs="double")),
            {"scheme": "pva", "path": "vec:sum", "query": {"lhs": 1.5, "rhs": 2.0}}]
PUTS, PUTS_AND_CALLS = 3, 7
NO_FIELD = "vec:double has no field 'nosuch': the whole has value, alarm, timeStamp"


def doubles(*elements):
    return msgpack.ExtType(0x43, struct.pack(f"<{len(elements)}d", *elements))


def opened(*names, rights=PUTS):
    """Everything up to the channels, which the server gives ids from 2 on, and what the client may do with them."""
    yield SERVER, None, 0
    yield SERVER, 0x01, [0x10000, 0x7FFF, ["anonymous", "ca"]]
    yield CLIENT, 0x01, [0x10000, 0x7FFF, 0, "ca", [CREDENTIALS, {"user": "me", "host": "here"}]]
    yield SERVER, 0x09, [OK]
    for cid, name in enumerate(names, 1):
        yield CLIENT, 0x07, [[[cid, name]]]
        yield SERVER, 0x06, [cid, rights]
        yield SERVER, 0x07, [cid, cid + 1, OK]


CONVERSATIONS = {
    "get": [
        *opened("vec:ro", rights=0),
        (CLIENT, 0x0A, [2, 1, 0x08, VALUE_ONLY]), (SERVER, 0x0A, [1, 0x08, OK, SCALAR]),
        (CLIENT, 0x0A, [2, 1, 0x00]), (SERVER, 0x0A, [1, 0x00, OK, {"value": 1.0}]),
        (CLIENT, 0x0A, [2, 1, 0x10]), (SERVER, 0x0A, [1, 0x10, OK, {"value": 1.0}]),
    ],
    "info": [
        *opened("vec:double"),
        (CLIENT, 0x11, [2, 1, "value"]), (SERVER, 0x11, [1, OK, "double"]),
        (CLIENT, 0x11, [2, 2, "nosuch"]), (SERVER, 0x11, [2, [2, NO_FIELD, ""]]),
    ],
    "put": [
        *opened("vec:double"),
        (CLIENT, 0x0B, [2, 1, 0x08, VALUE_ONLY]), (SERVER, 0x0B, [1, 0x08, OK, SCALAR]),
        (CLIENT, 0x0B, [2, 1, 0x40]), (SERVER, 0x0B, [1, 0x40, OK, {}]),
        (CLIENT, 0x0B, [2, 1, 0x00, {"value": 42.5}]), (SERVER, 0x0B, [1, 0x00, OK]),
        (CLIENT, 0x0B, [2, 1, 0x40]), (SERVER, 0x0B, [1, 0x40, OK, {"value": 42.5}]),
        (CLIENT, 0x0F, [2, 1]),
    ],
    "monitor": [
        *opened("vec:double"),
        (CLIENT, 0x0D, [2, 1, 0x08, VALUE_ONLY]), (SERVER, 0x0D, [1, 0x08, OK, SCALAR]),
        (CLIENT, 0x0D, [2, 1, 0x44]), (SERVER, 0x0D, [1, 0x00, {}, {}]),
        (CLIENT, 0x0B, [2, 2, 0x08, VALUE_ONLY]), (SERVER, 0x0B, [2, 0x08, OK, SCALAR]),
        (CLIENT, 0x0B, [2, 2, 0x10, {"value": -1.25}]),
        (SERVER, 0x0D, [1, 0x00, {"value": -1.25}, {}]), (SERVER, 0x0B, [2, 0x10, OK]),
        (CLIENT, 0x0D, [2, 1, 0x04]), (CLIENT, 0x0F, [2, 1]),
    ],
    "monitor with a window": [
        *opened("vec:tick"),
        (CLIENT, 0x0D, [2, 1, 0x88, request("value", pipeline="true", queueSize="2"), 2]),
        (SERVER, 0x0D, [1, 0x08, OK, nt("NTScalar", "int")]),
        (CLIENT, 0x0D, [2, 1, 0x44]), (SERVER, 0x0D, [1, 0x00, {}, {}]),
        (CLIENT, 0x0D, [2, 1, 0x80, 1]), (CLIENT, 0x0D, [2, 1, 0x80, 1]), (CLIENT, 0x0D, [2, 1, 0x10]),
    ],
    "rpc": [
        *opened("vec:sum", rights=PUTS_AND_CALLS),
        (CLIENT, 0x14, [2, 1, 0x08, [EMPTY, {}]]), (SERVER, 0x14, [1, 0x08, OK]),
        (CLIENT, 0x14, [2, 1, 0x10, ARGUMENT]), (SERVER, 0x14, [1, 0x10, OK, ARGUMENT]),
    ],
    "process": [
        *opened("vec:double"),
        (CLIENT, 0x10, [2, 1, 0x08, [EMPTY, {}]]), (SERVER, 0x10, [1, 0x08, OK]),
        (CLIENT, 0x10, [2, 1, 0x10]), (SERVER, 0x10, [1, 0x10, OK]),
    ],
    "put_get": [
        *opened("vec:double"),
        (CLIENT, 0x0C, [2, 1, 0x08, [structure("", putField=structure("", value=EMPTY), getField=structure("", value=EMPTY)),
                                     {"putField": {"value": {}}, "getField": {"value": {}}}]]),
        (SERVER, 0x0C, [1, 0x08, OK, SCALAR, SCALAR]),
        (CLIENT, 0x0C, [2, 1, 0x00, {"value": 3.0}]), (SERVER, 0x0C, [1, 0x00, OK, {"value": 3.0}]),
        (CLIENT, 0x0C, [2, 1, 0x80]), (SERVER, 0x0C, [1, 0x80, OK, {"value": 3.0}]),
        (CLIENT, 0x0C, [2, 1, 0x40]), (SERVER, 0x0C, [1, 0x40, OK, {"value": 3.0}]),
    ],
    "array": [
        *opened("vec:array"),
        (CLIENT, 0x0E, [2, 1, 0x08, VALUE_ONLY]), (SERVER, 0x0E, [1, 0x08, OK, "double[]"]),
        (CLIENT, 0x0E, [2, 1, 0x40, 1, 2, 2]), (SERVER, 0x0E, [1, 0x40, OK, doubles(2, 4)]),
        (CLIENT, 0x0E, [2, 1, 0x00, 0, 1, doubles(-1, -2)]), (SERVER, 0x0E, [1, 0x00, OK]),
        (CLIENT, 0x0E, [2, 1, 0x80, 3]), (SERVER, 0x0E, [1, 0x80, OK]),
        (CLIENT, 0x0E, [2, 1, 0x04]), (SERVER, 0x0E, [1, 0x04, OK, 3]),
        (CLIENT, 0x0E, [2, 1, 0x40, 0, 0, 1]), (SERVER, 0x0E, [1, 0x40, OK, doubles(-1, -2, 3)]),
    ],
    "several channels": [
        *opened("vec:double", "vec:array", "vec:string"),
        (CLIENT, 0x0A, [3, 1, 0x08, VALUE_ONLY]), (SERVER, 0x0A, [1, 0x08, OK, nt("NTScalarArray", "double[]")]),
        (CLIENT, 0x0A, [4, 2, 0x08, VALUE_ONLY]),
        (SERVER, 0x0A, [2, 0x08, OK, TEXT]),
        (CLIENT, 0x0A, [4, 2, 0x10]), (SERVER, 0x0A, [2, 0x10, OK, {}]),
        (CLIENT, 0x0A, [3, 1, 0x10]), (SERVER, 0x0A, [1, 0x10, OK, {"value": doubles(1, 2, 3, 4, 5)}]),
        (CLIENT, 0x08, [3, 2]), (SERVER, 0x08, [3, 2]),
        (CLIENT, 0x07, [[[2, "vec:long"], [9, "vec:nosuch"]]]),
        (SERVER, 0x06, [2, PUTS]), (SERVER, 0x07, [2, 5, OK]),
        (SERVER, 0x07, [9, 0xFFFFFFFF, [2, "there is no PV 'vec:nosuch' here", ""]]),
    ],
    "in segments": [
        *opened("vec:string"),
        (CLIENT, 0x02, [b"anybody there?"]), (SERVER, 0x02, [b"anybody there?"]),
        (CLIENT, 0x0B, [2, 1, 0x08, VALUE_ONLY]),
        (SERVER, 0x0B, [1, 0x08, OK, TEXT]),
        (CLIENT, 0x0B, [2, 1, 0x10, {"value": "in segments"}], 3), (SERVER, 0x0B, [1, 0x10, OK]),
        (CLIENT, 0x12, [1, 1, "mind"]), (CLIENT, 0x15, [2, 1]),
    ],
}


def message(sender, command, body, segment=0x00):
    flags = 0x80 | segment | (0x40 if sender == SERVER else 0)
    return (struct.pack(">BBBBI", 0xCA, 2, flags, command, len(body)) + body).hex()


def said(sender, command, fields, segments=1):
    """One message; without a command SET_BYTE_ORDER, and with several segments its body in so many pieces."""
    if command is None:
        return (struct.pack(">BBBBI", 0xCA, 2, 0xC1, 0x02, fields)).hex()
    body = msgpack.packb(fields)
    if segments == 1:
        return message(sender, command, body)
    size = -(-len(body) // segments)
    flags = [0x10, *[0x30] * (segments - 2), 0x20]
    return "".join(message(sender, command, body[at * size:(at + 1) * size], flag) for at, flag in enumerate(flags))


def write(name, rows):
    path = pathlib.Path(__file__).with_name(name)
    text = "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n"
    if "--check" in sys.argv and path.read_text(encoding="utf8") != text:
        sys.exit(f"{name} is another one now")
    path.write_text(text, encoding="utf8")


write("messages.json", [
    {"name": name, "from": sender, "hex": message(sender, command, msgpack.packb(fields))}
    for sender, command, name, fields in MESSAGES
])
write("values.json", [
    {"type": type_, "json": shown, "hex": msgpack.packb([type_, value], use_single_float=type_ == "float").hex()}
    for type_, value, shown in values()
])
write("conversations.json", [
    {"name": name, "messages": [{"from": sender, "hex": said(sender, *rest)} for sender, *rest in messages]}
    for name, messages in CONVERSATIONS.items()
])
