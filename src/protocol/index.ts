// The public names of the protocol layer: bytes, types, values, messages and state machines, without any I/O.
export {};
