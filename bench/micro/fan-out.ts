// What does a post cost that a hundred subscribers get? Beside encoding it for each of them.

import { SharedPV } from '#src/channels/shared-pv.js';
import { BitSet } from '#src/protocol/bit-set.js';
import { ntScalar } from '#src/protocol/normative/nt-scalar.js';
import { timeStamp } from '#src/protocol/normative/time-stamp.js';
import { parsePvRequest } from '#src/protocol/pv-request.js';
import { double } from '#src/protocol/types/type-desc.js';
import { MemoryServer, type MemoryLink } from './memory-server.ts';
import type { Line } from './subject.ts';

const SUBSCRIBERS = 100;
/** Header, id, subcommand, two bit sets of 2 and 1 bytes, a double and 12 bytes of time. */
const LEAST_UPDATE_BYTES = 8 + 5 + 3 + 8;

export async function fanOut(): Promise<readonly Line[]> {
  const type = ntScalar(double);
  const pv = new SharedPV(type, { initial: { value: 0 } });
  const memory = await MemoryServer.open({ 'bench:counter': pv });
  const links: MemoryLink[] = [];
  for (let index = 0; index < SUBSCRIBERS; index++) links.push(await subscribed(memory));
  const stamp = timeStamp(Date.now());
  const changed = BitSet.of(1, type.bitCount - 4);
  let count = 0;
  return [
    {
      name: `post to ${SUBSCRIBERS} subscribers: patch`,
      fastPath: 'encoded once for each selection, one write for each link',
      operations: SUBSCRIBERS,
      run: () => told(() => pv.post({ value: ++count, timeStamp: stamp })),
    },
    {
      name: `post to ${SUBSCRIBERS} subscribers: update`,
      fastPath: 'the same, without coercion',
      operations: SUBSCRIBERS,
      run: () => told(() => pv.post({ changed, value: { ...pv.value, value: ++count, timeStamp: stamp } })),
    },
  ];

  function told(post: () => void): void {
    const before = heardBytes();
    post();
    memory.clock.advance(0);
    const heard = heardBytes() - before;
    if (heard < SUBSCRIBERS * LEAST_UPDATE_BYTES) throw new Error(`${heard} bytes reached ${SUBSCRIBERS} subscribers`);
  }

  function heardBytes(): number {
    let bytes = 0;
    for (const link of links) bytes += link.heardBytes;
    return bytes;
  }
}

async function subscribed(memory: MemoryServer): Promise<MemoryLink> {
  const link = await memory.connect();
  const sid = await link.createChannel('bench:counter');
  const pvRequest = parsePvRequest('');
  const common = { command: 'MONITOR', sid, ioid: 1 } as const;
  await link.ask('MONITOR', { ...common, phase: 'init', subcommand: 0x08, pvRequest, window: 0 });
  await link.ask('MONITOR', { ...common, phase: 'exec', subcommand: 0x44, acknowledged: 0 });
  return link;
}
