// How fast is a GET from the bytes of the request to those of the reply, without the kernel?

import { SharedPV } from '#src/channels/shared-pv.js';
import { ntScalar } from '#src/protocol/normative/nt-scalar.js';
import { timeStamp } from '#src/protocol/normative/time-stamp.js';
import { parsePvRequest } from '#src/protocol/pv-request.js';
import { double } from '#src/protocol/types/type-desc.js';
import { bytesOf, MemoryServer } from './memory-server.ts';
import type { Line } from './subject.ts';

const DEPTH = 100;
const NO_ALARM = { severity: 0, status: 0, message: '' };

export async function get(): Promise<readonly Line[]> {
  const initial = { value: 1.5, alarm: NO_ALARM, timeStamp: timeStamp(Date.now()) };
  const memory = await MemoryServer.open({ 'bench:get': new SharedPV(ntScalar(double), { initial }) });
  const link = await memory.connect();
  const sid = await link.createChannel('bench:get');
  const ioid = 1;
  const pvRequest = parsePvRequest('');
  await link.ask('GET', { command: 'GET', phase: 'init', sid, ioid, subcommand: 0x08, pvRequest });
  const one = bytesOf({ command: 'GET', phase: 'exec', sid, ioid, subcommand: 0 });
  const many = bytesOf(
    ...Array.from({ length: DEPTH }, () => ({ command: 'GET', phase: 'exec', sid, ioid, subcommand: 0 }) as const),
  );
  const replyBytes = link.exchange(one);
  return [
    { name: 'GET through a link: 1 a turn', operations: 1, run: () => answered(one, replyBytes) },
    {
      name: `GET through a link: ${DEPTH} a turn`,
      fastPath: 'one output buffer and one write a turn',
      operations: DEPTH,
      run: () => answered(many, replyBytes * DEPTH),
    },
  ];

  function answered(requests: Uint8Array, expectedBytes: number): void {
    const heard = link.exchange(requests);
    if (heard !== expectedBytes) throw new Error(`${heard} bytes of replies, ${expectedBytes} expected`);
  }
}
