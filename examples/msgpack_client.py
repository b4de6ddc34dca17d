#!/usr/bin/env python3
"""How does a program in another language speak with pvkit? With MessagePack, as docs/msgpack.md describes it.

It needs Python 3.9 and the package `msgpack` (pip install msgpack), and nothing of EPICS or pvkit:

    npx pvkit serve --demo --interface 127.0.0.1 --msgpack-port 5080
    python examples/msgpack_client.py 127.0.0.1:5080 get demo:sine
    python examples/msgpack_client.py 127.0.0.1:5080 put demo:setpoint 42.5
    python examples/msgpack_client.py 127.0.0.1:5080 put demo:waveform '[1, 2.5]'
    python examples/msgpack_client.py 127.0.0.1:5080 monitor demo:sine 5

Values are printed as JSON, one line each; what a put writes is JSON, too, for the field `value`, or {"field": ...}.
"""

import array
import json
import socket
import struct
import sys
import time

import msgpack

MAGIC, VERSION, BIG_ENDIAN, FROM_SERVER, CONTROL = 0xCA, 2, 0x80, 0x40, 0x01
VALIDATION, ECHO, CREATE_CHANNEL, VALIDATED, GET, PUT, MONITOR = 0x01, 0x02, 0x07, 0x09, 0x0A, 0x0B, 0x0D
INIT, START, LAST = 0x08, 0x44, 0x10
ECHO_AFTER, SILENCE = 10, 40
EVERYTHING = [{"kind": "structure", "id": "", "fields": []}, {}]

# Code of the extension, and the code of Python's `array` for its elements.
ARRAYS = {
    "byte": (0x20, "b"), "short": (0x21, "h"), "int": (0x22, "i"), "long": (0x23, "q"),
    "ubyte": (0x24, "B"), "ushort": (0x25, "H"), "uint": (0x26, "I"), "ulong": (0x27, "Q"),
    "float": (0x42, "f"), "double": (0x43, "d"),
}
ELEMENTS = {code: elements for code, elements in ARRAYS.values()}


class Refused(Exception):
    """The server said no, and why."""


class Link:
    """One connection: whole messages in, whole messages out."""

    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), ECHO_AFTER)
        self.received = b""
        self.sent_at = self.heard_at = time.monotonic()
        self.expect(VALIDATION)
        self.send(VALIDATION, [0x10000, 0x7FFF, 0, "anonymous", None])
        require(self.expect(VALIDATED)[0])

    def close(self):
        self.socket.close()

    def send(self, command, fields):
        self.sent_at = time.monotonic()
        body = msgpack.packb(fields)
        self.socket.sendall(struct.pack(">BBBBI", MAGIC, VERSION, BIG_ENDIAN, command, len(body)) + body)

    def take(self, count):
        while len(self.received) < count:
            # A client that says nothing for 40 s is disconnected, however much it is sent.
            if time.monotonic() - self.sent_at > ECHO_AFTER:
                self.send(ECHO, [b""])
            try:
                chunk = self.socket.recv(65536)
            except socket.timeout:
                if time.monotonic() - self.heard_at > SILENCE:
                    raise Refused("the server is silent") from None
                continue
            if not chunk:
                raise Refused("the server has closed the connection")
            self.heard_at = time.monotonic()
            self.received += chunk
        taken, self.received = self.received[:count], self.received[count:]
        return taken

    def receive(self):
        """The next message with a body: its command and its fields."""
        while True:
            header = self.take(8)
            order = ">" if header[2] & BIG_ENDIAN else "<"
            magic, _, flags, command, size = struct.unpack(order + "BBBBI", header)
            if magic != MAGIC or not flags & FROM_SERVER:
                raise Refused(f"no message of a server: {header.hex()}")
            if flags & CONTROL:
                continue
            body = self.take(size)
            # Servers cut messages only if they are told to.
            if flags & 0x30:
                raise Refused("a message in segments")
            return command, msgpack.unpackb(body, ext_hook=elements_of, strict_map_key=True)

    def expect(self, command, ioid=None):
        """The next message of this command, and if it is given of this operation."""
        while True:
            found, fields = self.receive()
            if found == command and ioid in (None, fields[0]):
                return fields


class Channel:
    """One PV on a link."""

    def __init__(self, link, name):
        self.link = link
        self.ioid = 0
        link.send(CREATE_CHANNEL, [[[1, name]]])
        _, self.sid, status = link.expect(CREATE_CHANNEL)
        require(status)

    def begin(self, command):
        """INIT: the id of the new operation and the type of its data."""
        self.ioid += 1
        self.link.send(command, [self.sid, self.ioid, INIT, EVERYTHING])
        _, _, status, *rest = self.link.expect(command, self.ioid)
        require(status)
        return self.ioid, rest[0]

    def get(self):
        ioid, _ = self.begin(GET)
        self.link.send(GET, [self.sid, ioid, LAST])
        _, _, status, *rest = self.link.expect(GET, ioid)
        require(status)
        return rest[0]

    def put(self, fields):
        """Writes the named fields; the others stay as they are."""
        ioid, type_ = self.begin(PUT)
        update = {name: packed(field_type(type_, name), value) for name, value in fields.items()}
        self.link.send(PUT, [self.sid, ioid, LAST, update])
        require(self.link.expect(PUT, ioid)[2])

    def monitor(self):
        """Each update: the whole value, those fields that changed, and those that changed more than once."""
        ioid, _ = self.begin(MONITOR)
        self.link.send(MONITOR, [self.sid, ioid, START])
        value = {}
        while True:
            _, subcommand, *rest = self.link.expect(MONITOR, ioid)
            if subcommand & LAST:
                return require(rest[0])
            changed, overrun = rest
            merge(value, changed)
            yield value, changed, overrun


def require(status):
    """A status is nil for OK, or [type, message, call tree]; 0 and 1 are successes."""
    if status is not None and status[0] > 1:
        raise Refused(status[1])


def merge(value, changed):
    """Lays the fields that changed over what was there. Only a structure is a map inside a map here."""
    for name, new in changed.items():
        if isinstance(new, dict) and isinstance(value.get(name), dict):
            merge(value[name], new)
        else:
            value[name] = new


def field_type(type_, name):
    for field in type_["fields"]:
        if field["name"] == name:
            return field["type"]
    raise Refused(f"there is no field {name}, but {', '.join(field['name'] for field in type_['fields'])}")


def packed(type_, value):
    """A Python value in the form of its type: numbers in arrays are an extension, little endian."""
    if isinstance(type_, dict):
        if type_["kind"] == "structure":
            return {name: packed(field_type(type_, name), inner) for name, inner in value.items()}
        return value
    name, bracket, _ = type_.partition("[" if "[" in type_ else "<")
    if bracket and name in ARRAYS:
        code, kind = ARRAYS[name]
        elements = array.array(kind, value)
        if sys.byteorder == "big":
            elements.byteswap()
        return msgpack.ExtType(code, elements.tobytes())
    if type_ in ("float", "double"):
        return float(value)
    return value


def elements_of(code, data):
    """The elements of an extension, as a list."""
    elements = array.array(ELEMENTS[code])
    elements.frombytes(data)
    if sys.byteorder == "big":
        elements.byteswap()
    return elements.tolist()


def main(words):
    most = {"get": 3, "put": 4, "monitor": 4}
    if len(words) < 3 or len(words) > most.get(words[1], 0) or (words[1] == "put" and len(words) < 4):
        print(__doc__, file=sys.stderr)
        return 2
    server, act, name, *rest = words
    host, _, port = server.rpartition(":")
    link = Link(host, int(port))
    try:
        channel = Channel(link, name)
        if act == "get":
            print(json.dumps(channel.get()))
        elif act == "put":
            value = json.loads(rest[0])
            channel.put(value if isinstance(value, dict) else {"value": value})
        else:
            left = int(rest[0]) if rest else None
            for value, changed, overrun in channel.monitor():
                print(json.dumps({"value": value, "changed": changed, "overrun": overrun}), flush=True)
                left = None if left is None else left - 1
                if left == 0:
                    break
    except Refused as refused:
        print(f"{name}: {refused}", file=sys.stderr)
        return 1
    finally:
        link.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
