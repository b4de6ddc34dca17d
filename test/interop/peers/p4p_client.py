"""A p4p client that does what it is told: one JSON command a line in, one JSON answer a line out.

Environment: EPICS_PVA_*. Commands: get, types, put, rpc, monitor, next, stop; each with an `id` that the answer repeats.
"""

import json
import queue
import sys
import threading

from p4p.client.thread import Context, Disconnected, Finished
from p4p.nt import NTURI

from tagged import from_json, to_json, type_to_json

context = Context("pva", nt=False)
monitors = {}
output_lock = threading.Lock()


def answer(message):
    with output_lock:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def get(command):
    names = command["names"]
    requests = [command.get("request")] * len(names)
    values = context.get(names, request=requests, timeout=command.get("timeout", 5.0))
    return [to_json(value) for value in values]


def types(command):
    values = context.get(command["names"], timeout=command.get("timeout", 5.0))
    return [type_to_json(value.type().aspy()) for value in values]


def put(command):
    context.put(
        command["name"],
        from_json(command["value"]),
        request=command.get("request"),
        timeout=command.get("timeout", 5.0),
        get=False,
    )
    return True


def rpc(command):
    # "d" double, "l" long, "s" string, as NTURI spells them.
    arguments = command.get("arguments", [])
    uri = NTURI([(name, code) for name, code, _ in arguments])
    call = uri.wrap(command["name"], kws={name: from_json(value) for name, _, value in arguments})
    return to_json(context.rpc(command["name"], call, request=command.get("request"), timeout=command.get("timeout", 5.0)))


def monitor(command):
    events = queue.Queue()
    connected = threading.Event()

    def on_event(event):
        if isinstance(event, Disconnected):
            # p4p begins every monitor with one.
            if connected.is_set():
                events.put({"event": "disconnected"})
            connected.clear()
        elif isinstance(event, Finished):
            events.put({"event": "finished"})
        elif isinstance(event, Exception):
            events.put({"event": "error", "message": str(event)})
        else:
            connected.set()
            events.put({"event": "update", "value": to_json(event)})

    subscription = context.monitor(command["name"], on_event, request=command.get("request"), notify_disconnect=True)
    # p4p loses the first wake-up when it comes before monitor() has returned; nothing happens if there was none.
    subscription._event()
    monitors[command["monitor"]] = (subscription, events)
    return True


def next_event(command):
    _, events = monitors[command["monitor"]]
    try:
        return events.get(timeout=command.get("timeout", 5.0))
    except queue.Empty:
        return {"event": "timeout"}


def stop(command):
    subscription, _ = monitors.pop(command["monitor"])
    subscription.close()
    return True


COMMANDS = {"get": get, "types": types, "put": put, "rpc": rpc, "monitor": monitor, "next": next_event, "stop": stop}


def run(command):
    try:
        answer({"id": command["id"], "result": COMMANDS[command["do"]](command)})
    except Exception as error:  # The answer carries whatever p4p says; the test decides what it means.
        answer({"id": command["id"], "error": str(error) or type(error).__name__})


answer({"ready": True})
for line in sys.stdin:
    threading.Thread(target=run, args=(json.loads(line),), daemon=True).start()
context.close()
