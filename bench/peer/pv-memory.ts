// How many bytes does a PV take, and how many of them are its value? Prints both; needs `node --expose-gc`.

import process from 'node:process';
import { Server, SharedPV } from 'pvkit';
import { coerce, double, ntScalar, timeStamp } from 'pvkit/protocol';

const COUNT = 20_000;
const type = ntScalar(double);
/** Kept until the end, or it would be collected while it is measured. */
const kept: unknown[] = [];

const server = new Server();
kept.push(server);
// The first PV brings what all share: the type's codec, compiled code.
server.add('bench:first', SharedPV.mailbox(type, { initial: initial(0) }));
const valueBytes = grownBy(() => kept.push(Array.from({ length: COUNT }, (_, index) => coerce(type, initial(index)))));
const wholeBytes = grownBy(() => {
  for (let index = 0; index < COUNT; index++) {
    server.add(`bench:pv${index}`, SharedPV.mailbox(type, { initial: initial(index) }));
  }
});
console.log(JSON.stringify({ wholeBytes: wholeBytes / COUNT, valueBytes: valueBytes / COUNT }));
process.exit(kept.length > 0 ? 0 : 1);

function initial(value: number) {
  return { value: value + 0.5, alarm: { severity: 0, status: 0, message: '' }, timeStamp: timeStamp(Date.now()) };
}

function grownBy(act: () => void): number {
  const before = usedBytes();
  act();
  return usedBytes() - before;
}

function usedBytes(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
