"""The PVs of the bench, served by pvxs through p4p: where there is no compiler for pvxs-server.cpp, whose twin it is.

GET and MONITOR are served in C++ here, too; puts go through a handler in Python, and posts are made in Python.

Environment: EPICS_PVAS_*. Prints one JSON line when it serves; ends with its stdin.
"""

import json
import sys
import threading
import time

import numpy
from p4p import Value
from p4p.nt import NTScalar
from p4p.server import Server, StaticProvider
from p4p.server.raw import SharedPV

SCALAR = NTScalar("d").type
ARRAY = NTScalar("ad").type


def scalar(value, type=SCALAR):
    """The value alone, as `SharedPV(nt=NTScalar("d"), initial=0)` of p4p has it: what costs pvxs least."""
    return Value(type, {"value": value})


def filled(value):
    """As a PV of a real system has it: every field of the three that an NTScalar must have is set."""
    alarm = {"severity": 0, "status": 0, "message": ""}
    time_stamp = {"secondsPastEpoch": 1_767_225_600, "nanoseconds": 123_456_789, "userTag": 0}
    return Value(SCALAR, {"value": value, "alarm": alarm, "timeStamp": time_stamp})


class Mailbox:
    def put(self, pv, op):
        pv.post(op.value())
        op.done()


class Rhythm:
    """Posts a count to each of its PVs that somebody looks at, once a period. Ticks that come late are not made up."""

    def __init__(self, names, period):
        self.period = period
        self.watched = set()
        for name in names:
            provider.add(name, SharedPV(handler=Watch(self.watched), initial=scalar(0.0)))
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        count = 0
        while True:
            start = time.monotonic()
            watched = list(self.watched)
            count += bool(watched)
            for pv in watched:
                pv.post(scalar(count))
            time.sleep(max(0, start + (self.period if watched else 0.01) - time.monotonic()))


class Watch:
    def __init__(self, watched):
        self.watched = watched

    def onFirstConnect(self, pv):
        self.watched.add(pv)

    def onLastDisconnect(self, pv):
        self.watched.discard(pv)


provider = StaticProvider("bench")
provider.add("bench:full", SharedPV(handler=Mailbox(), initial=filled(1.5)))
for name in ["bench:get", "bench:idle"]:
    provider.add(name, SharedPV(handler=Mailbox(), initial=scalar(1.5)))
for index in range(100):
    provider.add(f"bench:put{index}", SharedPV(handler=Mailbox(), initial=scalar(0.0)))
for index in range(10_000):
    provider.add(f"bench:pv{index}", SharedPV(initial=scalar(0.0)))
provider.add("bench:array", SharedPV(initial=scalar(numpy.arange(1_000_000) / 2.0, ARRAY)))
Rhythm(["bench:counter"], 0.001)
Rhythm([f"bench:rate{index}" for index in range(100)], 0.01)

with Server(providers=[provider]) as server:
    conf = server.conf()
    ports = {"tcpPort": int(conf["EPICS_PVAS_SERVER_PORT"]), "udpPort": int(conf["EPICS_PVAS_BROADCAST_PORT"])}
    print(json.dumps(ports), flush=True)
    sys.stdin.read()
