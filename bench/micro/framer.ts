// How fast is a stream cut into messages?

import { Framer } from '#src/protocol/framer.js';
import { encodeMessage } from '#src/protocol/messages/index.js';
import { Writer } from '#src/protocol/writer.js';
import type { Line } from './subject.ts';

const MESSAGES = 1_000;
/** Cuts headers and bodies at every place there is. */
const PIECE_BYTES = 7;
const HEADER_BYTES = 8;

export function framer(): readonly Line[] {
  const writer = new Writer(false);
  for (let ioid = 0; ioid < MESSAGES; ioid++) {
    encodeMessage(writer, { command: 'GET', phase: 'exec', sid: 1, ioid, subcommand: 0 }, { fromServer: false });
  }
  const chunk = writer.detach(0);
  const pieces = Array.from({ length: Math.ceil(chunk.length / PIECE_BYTES) }, (_, index) =>
    chunk.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES),
  );
  return [
    {
      name: 'framer: GETs, 1000 a chunk',
      fastPath: 'Framer.push: bodies are views into the chunk',
      operations: MESSAGES,
      run: () => bodyBytes([chunk]),
      plain: () => plainBodyBytes([chunk]),
    },
    {
      name: 'framer: GETs in pieces of 7 bytes',
      operations: MESSAGES,
      run: () => bodyBytes(pieces),
      plain: () => plainBodyBytes(pieces),
    },
  ];
}

function bodyBytes(chunks: readonly Uint8Array[]): number {
  const framer = new Framer({ expectFromServer: false });
  let bytes = 0;
  for (const chunk of chunks) framer.push(chunk, ({ body }) => (bytes += body.length));
  return bytes;
}

/** Keeps what is left over, puts the next chunk behind it, copies each body out. */
function plainBodyBytes(chunks: readonly Uint8Array[]): number {
  let bytes = 0;
  let rest = Buffer.alloc(0);
  for (const chunk of chunks) {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      if (rest.length < HEADER_BYTES) break;
      const size = rest.readUInt32LE(4);
      if (rest.length < HEADER_BYTES + size) break;
      const body = Uint8Array.from(rest.subarray(HEADER_BYTES, HEADER_BYTES + size));
      bytes += body.length;
      rest = rest.subarray(HEADER_BYTES + size);
    }
  }
  return bytes;
}
