// What does a server say first on a link? Its byte order, and how clients may say who they are.

import type { Link } from './link.ts';

/** As pvxs; no peer uses these numbers. */
const RECEIVE_BUFFER_BYTES = 0x1_0000;
const REGISTRY_SIZE = 0x7fff;
/** Best last, because old clients take the last that they know. */
const METHODS: readonly string[] = ['anonymous', 'ca'];

export function greet(link: Pick<Link, 'send' | 'bigEndian'>): void {
  link.send({ command: 'SET_BYTE_ORDER', bigEndian: link.bigEndian, value: 0 });
  link.send({
    command: 'CONNECTION_VALIDATION',
    receiveBufferBytes: RECEIVE_BUFFER_BYTES,
    registrySize: REGISTRY_SIZE,
    methods: METHODS,
  });
}
