// How is every byte of our client held against a recording of itself? A peer that listens where the recorded server did,
// and says what it said, each message when all has come that the recorded client had sent before it.

import type { MemoryHost } from '../../src/transport/memory-network.ts';
import { isBytes, streamOf, type RecordedConversation } from './transcript.ts';
import { fromHex } from './vectors.ts';

export interface Lockstep {
  /** What our client has sent so far. */
  readonly sent: Uint8Array;
  /** What the recorded client sent in all. */
  readonly expected: Uint8Array;
  readonly address: string;
}

/** Plays the only connection of a recording. */
export async function playLockstep(host: MemoryHost, recorded: RecordedConversation): Promise<Lockstep> {
  const port = recorded.connections[0]?.serverPort ?? 0;
  const items = recorded.tcp.filter(isBytes);
  const lockstep = { sent: new Uint8Array(0), expected: streamOf(recorded, 0, 'c2s'), address: `127.0.0.1:${port}` };
  await host.listenTcp({ address: '127.0.0.1', port }, (tcp) => {
    let at = 0;
    let awaited = 0;
    function proceed(): void {
      for (let item = items[at]; item !== undefined && awaited <= lockstep.sent.length; item = items[++at]) {
        if (item.dir === 's2c') tcp.write(fromHex(item.hex));
        else awaited += item.hex.length / 2;
      }
    }
    tcp.listen({
      data: (chunk) => {
        lockstep.sent = Buffer.concat([lockstep.sent, chunk]);
        proceed();
      },
      drain: () => {},
      close: () => {},
    });
    proceed();
  });
  return lockstep;
}
