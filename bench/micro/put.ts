// How fast is a PUT from the bytes of the request to those of the reply, without the kernel? And how much of it is saved
// because a value that was decoded over the state is not merged with it again?

import type { PutRequest } from '#src/channels/channel.js';
import { DecodedPut } from '#src/channels/decoded-put.js';
import { anonymousPeer } from '#src/channels/peer.js';
import { PutWith } from '#src/channels/request-with.js';
import { SharedPV } from '#src/channels/shared-pv.js';
import { BitSet } from '#src/protocol/bit-set.js';
import { ntScalar } from '#src/protocol/normative/nt-scalar.js';
import { parsePvRequest } from '#src/protocol/pv-request.js';
import { double, type StructureType } from '#src/protocol/types/type-desc.js';
import type { StructureValue } from '#src/protocol/types/value-of.js';
import { ManualClock } from '#src/transport/manual-clock.js';
import { bytesOf, MemoryServer } from './memory-server.ts';
import { times, type Line } from './subject.ts';

const DEPTH = 100;
const type = ntScalar(double, { display: true, control: true });
/** The bit of `value`. */
const VALUE_BIT = 1;
const clock = new ManualClock();

export async function put(): Promise<readonly Line[]> {
  return [...(await throughLink()), toMailbox()];
}

async function throughLink(): Promise<readonly Line[]> {
  const memory = await MemoryServer.open({ 'bench:put': mailbox() });
  const link = await memory.connect();
  const sid = await link.createChannel('bench:put');
  const ioid = 1;
  const pvRequest = parsePvRequest('');
  await link.ask('PUT', { command: 'PUT', phase: 'init', sid, ioid, subcommand: 0x08, pvRequest });
  const update = { type, changed: BitSet.of(VALUE_BIT), value: mailbox().state.value };
  const request = { command: 'PUT', phase: 'exec', sid, ioid, subcommand: 0, update } as const;
  const one = bytesOf(request);
  const many = bytesOf(...Array.from({ length: DEPTH }, () => request));
  const replyBytes = link.exchange(one);
  return [
    { name: 'PUT through a link: 1 a turn', operations: 1, run: () => answered(one, replyBytes) },
    {
      name: `PUT through a link: ${DEPTH} a turn`,
      fastPath: 'one object for a put that is done at once',
      operations: DEPTH,
      run: () => answered(many, replyBytes * DEPTH),
    },
  ];

  function answered(requests: Uint8Array, expectedBytes: number): void {
    const heard = link.exchange(requests);
    if (heard !== expectedBytes) throw new Error(`${heard} bytes of replies, ${expectedBytes} expected`);
  }
}

function toMailbox(): Line {
  const known = {
    peer: anonymousPeer({ address: '127.0.0.1', port: 1 }),
    pvRequest: parsePvRequest(''),
    tell: () => undefined,
    signal: new AbortController().signal,
  };
  const changed = BitSet.of(VALUE_BIT);
  const puts = (pv: SharedPV, make: (base: StructureValue, value: StructureValue) => PutRequest): (() => unknown) =>
    times(DEPTH, () => {
      const base = pv.state.value;
      const later = pv.put(make(base, { ...base, value: 2.5 }));
      if (later !== undefined) throw new Error('a put to a mailbox takes no time');
      return pv.state;
    });
  return {
    name: 'put to a mailbox',
    fastPath: 'what was decoded over the state is not merged again',
    operations: DEPTH,
    run: puts(mailbox(), (base, value) => new DecodedPut(known, changed, value, base)),
    plain: puts(mailbox(), (_, value) => new PutWith(known, changed, value)),
  };
}

/** Time stands still: what the two ways make can be compared. */
function mailbox(): SharedPV {
  return SharedPV.mailbox<StructureType>(type, { initial: { value: 1.5 }, clock });
}
