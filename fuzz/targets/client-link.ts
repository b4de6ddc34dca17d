// Does a client survive any server? One that answers with arbitrary bytes costs it that server, and nothing else.
//
// It answers in each codec. Whatever comes: a call ends with a value or an error of the library, all that the client says can be read, another
// server that keeps to the rules is asked and watched as if nothing was, and in the end nothing is left.

import { SharedPV } from '../../src/channels/shared-pv.ts';
import { Context } from '../../src/client/context.ts';
import { resolveClientConfig, resolveServerConfig } from '../../src/config/effective.ts';
import type { Codec } from '../../src/protocol/codecs/codec.ts';
import { msgpack } from '../../src/protocol/codecs/msgpack.ts';
import { pva } from '../../src/protocol/codecs/pva.ts';
import { PvaError } from '../../src/protocol/errors.ts';
import { Framer } from '../../src/protocol/framer.ts';
import { HEADER_BYTES } from '../../src/protocol/header.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { Server } from '../../src/server/server.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork, type MemoryHost } from '../../src/transport/memory-network.ts';
import type { TcpConnection, TcpListener } from '../../src/transport/network.ts';

import { LinkTypes } from '../link-types.ts';
import { longMessage } from '../long-values.ts';
import { withFittingSizes } from '../repair.ts';
import { requireThat, type Target } from '../target.ts';
import { conversations, operations, packedConversations, packedMessages } from '../vectors.ts';

const ADDRESS = '127.0.0.1';
const EVIL_PORT = 6_000;
const EVIL = `${ADDRESS}:${EVIL_PORT}`;
const TIMEOUT_MS = 1_000;
/** What is not asked for comes by itself, a message at a time. */
const UNASKED_MS = 20;
/** Two who answer each other at once would do nothing else: what is left after so many answers is said in one go. */
const MOST_ANSWERS = 1_000;
const CONTROL = 0x01;
const BIG_ENDIAN = 0x80;
const OPTIONS = { server: EVIL, timeoutMs: TIMEOUT_MS };
const MOST_UPDATES = 20;

/** What the client does; the last byte of an input says which. */
const CALLS: readonly ((context: Context) => Promise<unknown>)[] = [
  (context) => context.get('fuzz:a', OPTIONS),
  (context) => context.info('fuzz:a', OPTIONS),
  (context) => context.put('fuzz:a', 1, OPTIONS),
  watch,
  (context) => context.rpc('fuzz:a', { a: 1, b: 'text' }, OPTIONS),
  (context) => context.process('fuzz:a', OPTIONS),
  (context) => context.putGet('fuzz:a', 1, OPTIONS),
  // Several channels and operations on one link.
  (context) =>
    Promise.all([
      context.get('fuzz:a', OPTIONS),
      context.info('fuzz:b', OPTIONS),
      context.put('fuzz:c', 'On', OPTIONS),
      watch(context),
    ]),
];

const FIRST_IDS = { cid: 1, ioid: 1 };

export const clientLink: Target = linkOf(pva, 'client-link', () => {
  const seeds = [...conversations('server', FIRST_IDS), ...operations('server', FIRST_IDS)];
  return seeds.flatMap((bytes, index) => [bytes, Uint8Array.of(...bytes, index % CALLS.length)]);
});
export const packedClientLink: Target = linkOf(msgpack, 'msgpack-client-link', () => [
  ...packedConversations('server').flatMap((bytes) => CALLS.map((_call, index) => Uint8Array.of(...bytes, index))),
  ...packedMessages('server'),
]);

function linkOf(codec: Codec, name: string, seeds: Target['seeds']): Target {
  return {
    name,
    seeds,
    repair: withFittingSizes,
    speaks: codec.name,
    // A whole world is made, and both ends of its links.
    baseMs: 250,
    usPerByte: 8,
    long: (bytes, random) => longMessage(bytes, random, codec.name, 'server'),
    async run(input) {
      const clock = new ManualClock();
      const host = new MemoryNetwork({ clock }).host('host');
      const { server, pv } = await honestServer(clock, host);
      const evil = await evilServer(clock, host, input, codec);
      const context = new Context({
        config: resolveClientConfig({ processEnvironment: { EPICS_PVA_NAME_SERVERS: `${ADDRESS}:${server.tcpPort}` } }),
        codec: codec.name,
        network: host,
        clock,
      });
      const honest = new HonestMonitor(context);
      const call = CALLS[(input[input.length - 1] ?? 0) % CALLS.length];
      const [answer] = await clock.until(Promise.allSettled([call?.(context)]));
      if (answer.status === 'rejected') requireLibraryError(answer.reason);

      const number = input.length;
      pv.post({ value: number });
      const { value } = (await clock.until(context.get('fuzz:honest', { timeoutMs: 5_000 }))) as {
        readonly value: unknown;
      };
      requireThat(value === number, 'other servers are not affected');
      for (let waited = 0; waited < 100 && honest.last !== number; waited++) await clock.advanceAsync(10);
      requireThat(honest.last === number, 'monitors of other servers have the last value');

      honest.isOver = true;
      await clock.until(context.close());
      await clock.until(honest.end);
      await clock.until(server.close());
      await evil.close();
      requireThat(clock.timerCount === 0, 'no timer is left');
    },
  };
}

/** Reads a monitor as long as something comes. */
async function watch(context: Context): Promise<void> {
  let count = 0;
  for await (const _update of context.monitor('fuzz:m', OPTIONS)) if (++count === MOST_UPDATES) return;
}

class HonestMonitor {
  last = Number.NaN;
  /** Rejects when the monitor ends by itself. */
  readonly end: Promise<void>;
  isOver = false;

  constructor(context: Context) {
    this.end = this.#read(context).catch((thrown: unknown) => {
      if (!this.isOver) throw thrown;
    });
  }

  async #read(context: Context): Promise<void> {
    for await (const update of context.monitor('fuzz:honest')) {
      // Of the PV below.
      this.last = (update.value as { readonly value: number }).value;
    }
  }
}

function requireLibraryError(reason: unknown): void {
  if (!(reason instanceof PvaError) || reason.message === '') throw reason;
}

async function honestServer(
  clock: ManualClock,
  host: MemoryHost,
): Promise<{ readonly server: Server; readonly pv: SharedPV }> {
  const config = { ...resolveServerConfig({ processEnvironment: {} }), autoBeacon: false, msgpackPort: 0 };
  const server = new Server({ clock, network: host, config });
  const pv = new SharedPV(ntScalar(double), { initial: -1 });
  server.add('fuzz:honest', pv);
  await clock.until(server.listen());
  return { server, pv };
}

/** Says the messages of the input: two as a greeting, one whenever it is spoken to, and one now and then. */
function evilServer(clock: ManualClock, host: MemoryHost, input: Uint8Array, codec: Codec): Promise<TcpListener> {
  return host.listenTcp({ address: ADDRESS, port: EVIL_PORT }, (connection) => {
    let at = 0;
    let answers = 0;
    const say = (): void => {
      const end = answers < MOST_ANSWERS ? messageEnd(input, at) : input.length;
      if (end > at) connection.write(Uint8Array.from(input.subarray(at, end)));
      at = end;
      if (at >= input.length) timer.cancel();
    };
    const timer = clock.every(UNASKED_MS, say);
    const answer = (): void => {
      answers++;
      say();
    };
    listen(connection, codec, answer, () => timer.cancel());
    say();
    say();
  });
}

/** Reads what the client says, which must be messages whatever it was told. */
function listen(connection: TcpConnection, codec: Codec, answer: () => void, over: () => void): void {
  const framer = new Framer({ expectFromServer: false });
  const types = new LinkTypes(codec);
  connection.listen({
    data: (chunk) => {
      framer.push(Uint8Array.from(chunk), (frame) => types.take(frame));
      answer();
    },
    drain: () => undefined,
    close: over,
  });
}

/** Where the message that begins here ends, if it is one. */
function messageEnd(input: Uint8Array, at: number): number {
  if (at + HEADER_BYTES > input.length) return input.length;
  const flags = input[at + 2] ?? 0;
  if ((flags & CONTROL) !== 0) return at + HEADER_BYTES;
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  return Math.min(input.length, at + HEADER_BYTES + view.getUint32(at + 4, (flags & BIG_ENDIAN) === 0));
}
