// The PVs of the bench, served by pvkit through its public API. Twin of pvxs-server.cpp.
//
// Environment: EPICS_PVAS_*. Prints one JSON line when it serves; ends with its stdin. With `node --expose-gc` it answers
// each line on stdin with the bytes that are in use.

import process from 'node:process';
import { createInterface } from 'node:readline';
import { Server, SharedPV } from 'pvkit';
import { double, ntScalar, ntScalarArray } from 'pvkit/protocol';

const ARRAY_LENGTH = 1_000_000;
const scalarType = ntScalar(double);
/** As a PV of a real system has it: every field of the three that an NTScalar must have is set. */
const FULL = {
  value: 1.5,
  alarm: { severity: 0, status: 0, message: '' },
  timeStamp: { secondsPastEpoch: 1_767_225_600n, nanoseconds: 123_456_789, userTag: 0 },
};

const server = new Server();
for (const name of ['bench:get', 'bench:idle']) server.add(name, mailbox(1.5));
server.add('bench:full', SharedPV.mailbox(scalarType, { initial: FULL }));
for (const name of numbered('bench:put', 100)) server.add(name, mailbox(0));
for (const name of numbered('bench:pv', 10_000)) server.add(name, mailbox(0));
const numbers = Float64Array.from({ length: ARRAY_LENGTH }, (_, index) => index / 2);
server.add('bench:array', SharedPV.mailbox(ntScalarArray(double), { initial: { value: numbers } }));
rhythm(['bench:counter'], 1);
rhythm(numbered('bench:rate', 100), 10);

await server.listen();
console.log(JSON.stringify({ tcpPort: server.tcpPort, udpPort: server.udpPort }));
createInterface({ input: process.stdin })
  .on('line', () => console.log(usedBytes()))
  .on('close', () => process.exit(0));

function usedBytes(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** The value alone, as `SharedPV(nt=NTScalar("d"), initial=0)` of p4p has it: what costs pvxs least. */
function mailbox(value: number): SharedPV {
  return SharedPV.mailbox(scalarType, { initial: { value } });
}

function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

/** Posts a count to each of the PVs that somebody looks at, once a period. Ticks that come late are not made up. */
function rhythm(names: readonly string[], periodMs: number): void {
  const watched = new Set<SharedPV>();
  let count = 0;
  let timer: NodeJS.Timeout | undefined;
  const post = (): void => {
    count++;
    for (const pv of watched) pv.post({ value: count });
  };
  for (const name of names) {
    server.add(
      name,
      new SharedPV<typeof scalarType>(scalarType, {
        initial: { value: 0 },
        onFirstSubscriber: (pv) => {
          watched.add(pv);
          timer ??= setInterval(post, periodMs);
        },
        onLastUnsubscribe: (pv) => {
          watched.delete(pv);
          if (watched.size > 0) return;
          clearInterval(timer);
          timer = undefined;
        },
      }),
    );
  }
}
