// The PVs of the bench, served by pvkit through its public API. Twin of pvxs-server.cpp.
//
// Environment: EPICS_PVAS_*. Prints one JSON line when it serves; ends with its stdin.

import process from 'node:process';
import { Server, SharedPV } from 'pvkit';
import { double, ntScalar, ntScalarArray, timeStamp } from 'pvkit/protocol';

const ARRAY_LENGTH = 1_000_000;
const scalarType = ntScalar(double);

const server = new Server();
for (const name of ['bench:get', 'bench:idle']) server.add(name, mailbox(1.5));
for (const name of numbered('bench:put', 100)) server.add(name, mailbox(0));
for (const name of numbered('bench:pv', 10_000)) server.add(name, mailbox(0));
const numbers = Float64Array.from({ length: ARRAY_LENGTH }, (_, index) => index / 2);
server.add('bench:array', SharedPV.mailbox(ntScalarArray(double), { initial: filled(numbers) }));
rhythm(['bench:counter'], 1);
rhythm(numbered('bench:rate', 100), 10);

await server.listen();
console.log(JSON.stringify({ tcpPort: server.tcpPort, udpPort: server.udpPort }));
process.stdin.resume().on('end', () => process.exit(0));

/** Every field is set, so that replies of both servers are of one size. */
function filled(value: number | Float64Array): unknown {
  return { value, alarm: { severity: 0, status: 0, message: '' }, timeStamp: timeStamp(Date.now()) };
}

function mailbox(value: number): SharedPV {
  return SharedPV.mailbox(scalarType, { initial: filled(value) });
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
    const stamp = timeStamp(Date.now());
    for (const pv of watched) pv.post({ value: count, timeStamp: stamp });
  };
  for (const name of names) {
    server.add(
      name,
      new SharedPV<typeof scalarType>(scalarType, {
        initial: filled(0),
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
