"""A p4p server (pvxs underneath) with one PV of everything, for pvkit's client to read, write, watch and call.

Environment: EPICS_PVAS_*. Prints one JSON line when it serves.
"""

import json
import sys
import threading
import time

import numpy
from p4p import Type, Value
from p4p.nt import NTEnum, NTNDArray, NTScalar, NTTable
from p4p.server import Server, StaticProvider
from p4p.server.thread import SharedPV


class Mailbox:
    """Accepts every put and sets the time stamp."""

    def put(self, pv, op):
        pv.post(op.value(), timestamp=time.time())
        op.done()


class Picky:
    def put(self, pv, op):
        if float(op.value()) > 100:
            op.done(error="more than 100 is too much")
            return
        pv.post(op.value(), timestamp=time.time())
        op.done()


class Calculator:
    def rpc(self, pv, op):
        query = op.value().query
        try:
            op.done(NTScalar("d").wrap(float(query.lhs) + float(query.rhs)))
        except Exception as error:
            op.done(error=f"cannot add: {error}")


class Raw:
    def put(self, pv, op):
        pv.post(op.value())
        op.done()


provider = StaticProvider("pvkit-peer")
pvs = {}


def add(name, pv):
    pvs[name] = pv
    provider.add(name, pv)


INTEGERS = {"b": "byte", "B": "ubyte", "h": "short", "H": "ushort", "i": "int", "I": "uint", "l": "long", "L": "ulong"}
for code, name in INTEGERS.items():
    low = 0 if code.isupper() else -(2 ** ({"b": 8, "h": 16, "i": 32, "l": 64}[code] - 1))
    add(f"peer:{name}", SharedPV(nt=NTScalar(code), initial=low, handler=Mailbox()))
add("peer:boolean", SharedPV(nt=NTScalar("?"), initial=True, handler=Mailbox()))
add("peer:float", SharedPV(nt=NTScalar("f"), initial=1.5, handler=Mailbox()))
add("peer:double", SharedPV(nt=NTScalar("d", display=True, control=True, valueAlarm=True), initial=6.02e23, handler=Mailbox()))
add("peer:string", SharedPV(nt=NTScalar("s"), initial="Grüße, κόσμε", handler=Mailbox()))
add("peer:doubles", SharedPV(nt=NTScalar("ad"), initial=numpy.arange(5000) * 0.5, handler=Mailbox()))
add("peer:longs", SharedPV(nt=NTScalar("al"), initial=numpy.array([-(2**63), 0, 2**63 - 1], dtype="int64"), handler=Mailbox()))
add("peer:shorts", SharedPV(nt=NTScalar("ah"), initial=numpy.array([-32768, 1, 32767], dtype="int16"), handler=Mailbox()))
add("peer:strings", SharedPV(nt=NTScalar("as"), initial=["one", "", "three"], handler=Mailbox()))
add("peer:booleans", SharedPV(nt=NTScalar("a?"), initial=[True, False, True], handler=Mailbox()))
add("peer:enum", SharedPV(nt=NTEnum(), initial={"index": 1, "choices": ["Off", "On", "Fault"]}, handler=Mailbox()))
add(
    "peer:table",
    SharedPV(
        nt=NTTable(columns=[("name", "s"), ("value", "d")]),
        initial=[{"name": "a", "value": 1.5}, {"name": "b", "value": -2.5}],
    ),
)
add("peer:image", SharedPV(nt=NTNDArray(), initial=numpy.arange(12, dtype="uint8").reshape((3, 4))))
add("peer:picky", SharedPV(nt=NTScalar("d"), initial=1.0, handler=Picky()))
add("peer:readonly", SharedPV(nt=NTScalar("d"), initial=2.5))
add("peer:add", SharedPV(nt=NTScalar("d"), initial=0.0, handler=Calculator()))

odd = Type(
    [
        ("any", "v"),
        ("choice", ("U", None, [("number", "d"), ("text", "s")])),
        ("rows", ("aS", "row_t", [("x", "i"), ("label", "s")])),
        ("inner", ("S", "inner_t", [("flag", "?"), ("deep", ("S", None, [("leaf", "l")]))])),
    ],
    id="odd_t",
)
add(
    "peer:odd",
    SharedPV(
        initial=Value(
            odd,
            {
                "any": 7,
                "choice": ("text", "chosen"),
                "rows": [{"x": 1, "label": "one"}, {"x": 2, "label": "two"}],
                "inner": {"flag": True, "deep": {"leaf": 2**62}},
            },
        ),
        handler=Raw(),
    ),
)

counter = SharedPV(nt=NTScalar("l"), initial=0)
add("peer:counter", counter)
stopping = threading.Event()


def count():
    value = 0
    while not stopping.wait(0.05):
        value += 1
        counter.post(value, timestamp=time.time())


with Server(providers=[provider]) as server:
    ticker = threading.Thread(target=count, daemon=True)
    ticker.start()
    conf = server.conf()
    print(
        json.dumps(
            {
                "ready": True,
                "tcpPort": int(conf["EPICS_PVAS_SERVER_PORT"]),
                "udpPort": int(conf["EPICS_PVAS_BROADCAST_PORT"]),
                "names": sorted(pvs),
            }
        ),
        flush=True,
    )
    # The test ends this process by closing its input.
    sys.stdin.read()
    stopping.set()
