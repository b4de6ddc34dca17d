// How long does a put on one node take until a monitor on another node has it? `npm run bench:store` prints it.
//
// Two `pvkit serve` on one Redis, all on loopback. One client puts the time at which it does so, 1 000 times a second
// whether the puts before are answered or not; another one, on the other node, looks at its clock when an update comes.

import process from 'node:process';
import { Context, resolveClientConfig } from 'pvkit';
import { SharedPair } from './shared-pair.ts';

const PUTS_PER_S = 1_000;
const SECONDS = 10;
/** Not counted: code is slow until it has run a few thousand times. */
const WARM_UP_S = 6;
const PV_COUNT = 20;
const TICK_MS = 1;
const TARGET_P99_MS = 5;
const MS_PER_S = 1_000;

const names = Array.from({ length: PV_COUNT }, (_, index) => `bench:latency${index}`);

/** Prints it and tells whether the target was reached. */
export async function latency(): Promise<boolean> {
  await using pair = await SharedPair.start(names.map((name) => `${name}=double`));
  await using writer = newContext();
  await using reader = newContext();
  const [one, other] = pair.servers;
  const seenMs: number[] = [];
  const answeredMs: number[] = [];
  /** How late timers of this process were: what no server could have been faster than. */
  const lateMs: number[] = [];
  const begins = performance.now() + WARM_UP_S * MS_PER_S;
  const end = new AbortController();

  const watching = names.map(async (name) => {
    const monitor = reader.monitor(name, {
      server: other,
      request: 'record[queueSize=100]field(value)',
      signal: end.signal,
    });
    for await (const { value } of monitor) {
      const now = performance.now();
      // The PVs are NTScalar of double.
      const { value: sent } = value as { value: number };
      // The first update of a monitor is what there was before.
      if (sent >= begins) seenMs.push(now - sent);
    }
  });
  for (const name of names) await writer.put(name, 0, { server: one });

  const timedPut = async (number: number): Promise<void> => {
    const sent = performance.now();
    await writer.put(names[number % PV_COUNT] ?? '', sent, { server: one });
    if (sent >= begins) answeredMs.push(performance.now() - sent);
  };
  let count = 0;
  const waiting = new Set<Promise<void>>();
  const start = performance.now();
  const total = (WARM_UP_S + SECONDS) * PUTS_PER_S;
  while (count < total) {
    const due = Math.min(total, Math.floor(((performance.now() - start) / MS_PER_S) * PUTS_PER_S));
    for (; count < due; count++) {
      const put: Promise<void> = timedPut(count).finally(() => waiting.delete(put));
      waiting.add(put);
    }
    const wakesAt = performance.now() + TICK_MS;
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    if (wakesAt >= begins) lateMs.push(Math.max(0, performance.now() - wakesAt));
  }
  await Promise.all(waiting);
  await new Promise((resolve) => setTimeout(resolve, MS_PER_S));
  end.abort();
  await Promise.allSettled(watching);

  const p99 = quantile(seenMs, 0.99);
  const isReached = p99 < TARGET_P99_MS && seenMs.length >= answeredMs.length;
  process.stdout.write(
    [
      `put on one node to monitor on the other, ${PUTS_PER_S} puts/s on ${PV_COUNT} PVs for ${SECONDS} s, through Redis`,
      `  to the monitor     ${line(seenMs)}  ${seenMs.length} of ${answeredMs.length} seen`,
      `  to the answer      ${line(answeredMs)}`,
      `  timers were late   ${line(lateMs)}`,
      `  target             p99 under ${TARGET_P99_MS} ms: ${isReached ? 'reached' : 'missed'}`,
      '',
    ].join('\n'),
  );
  return isReached;
}

function newContext(): Context {
  // Servers are named in each call: nothing is searched.
  const processEnvironment = { EPICS_PVA_AUTO_ADDR_LIST: 'NO', EPICS_PVA_ADDR_LIST: '127.0.0.1:1' };
  return new Context({ config: resolveClientConfig({ processEnvironment }) });
}

function line(timesMs: readonly number[]): string {
  const parts = [0.5, 0.9, 0.99, 1].map((share) => {
    const name = share === 1 ? 'max' : `p${share * 100}`;
    return `${name} ${quantile(timesMs, share).toFixed(2)} ms`;
  });
  return parts.join('  ');
}

function quantile(timesMs: readonly number[], share: number): number {
  const sorted = timesMs.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
