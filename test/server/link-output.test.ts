// Does a link's output write what the plain encoder writes, whatever the connection has taken of it so far?
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { preEncodeUpdate } from '../../src/protocol/messages/data.ts';
import { encodeMessage, type ServerMessageToSend } from '../../src/protocol/messages/index.ts';
import { OK } from '../../src/protocol/status.ts';
import { arrayOf, structure, ubyte } from '../../src/protocol/types/type-desc.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { LinkOutput } from '../../src/server/link-output.ts';
import { UnsentLedger } from '../../src/server/unsent-ledger.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import type { TcpConnection } from '../../src/transport/network.ts';
import { hitsLimit } from '../support/hits-limit.ts';

const TYPE = structure({ value: arrayOf(ubyte) });

interface Step {
  readonly kind: 'got' | 'update' | 'putDone' | 'message' | 'turn' | 'hold' | 'release' | 'taken';
  readonly ioid: number;
  readonly subcommand: number;
  /** Bytes of the value; around the size from which values are not copied. */
  readonly size: number;
  readonly overrun: readonly number[];
}

const STEP: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('got', 'update', 'putDone', 'message', 'turn', 'hold', 'release', 'taken'),
  ioid: fc.integer({ min: 0, max: 0xffff_ffff }),
  subcommand: fc.constantFrom(0, 0x10, 0x40, 0x80),
  size: fc.oneof(fc.nat(200), fc.integer({ min: 20_000, max: 70_000 }), fc.constantFrom(65_528, 65_529, 200_000)),
  overrun: fc.array(fc.constantFrom(1, 40, 70), { maxLength: 2 }),
});

/** Keeps what it has not taken as it was given, and looks at it only when it takes it. */
class SlowConnection implements Pick<TcpConnection, 'write' | 'bufferedBytes'> {
  readonly taken: Uint8Array[] = [];
  readonly #held: Uint8Array[] = [];
  isSlow = false;

  get bufferedBytes(): number {
    return this.#held.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  write(bytes: Uint8Array): boolean {
    this.#held.push(bytes);
    if (!this.isSlow) this.take();
    return !this.isSlow;
  }

  take(): void {
    for (const bytes of this.#held.splice(0)) this.taken.push(Uint8Array.from(bytes));
  }
}

/** The message that a step sends, if it sends one. */
function messageOf(
  { kind, ioid, subcommand, size, overrun }: Step,
  bigEndian: boolean,
): ServerMessageToSend | undefined {
  const value = { value: new Uint8Array(size).fill(size) };
  const update = preEncodeUpdate({ type: TYPE, changed: BitSet.of(1), value }, bigEndian);
  switch (kind) {
    case 'got':
      return { command: 'GET', phase: 'exec', ioid, subcommand, status: OK, update };
    case 'update':
      return { command: 'MONITOR', phase: 'update', ioid, subcommand: 0, update, overrun: BitSet.from(overrun) };
    case 'putDone':
      return { command: 'PUT', phase: 'exec', ioid, subcommand, status: OK };
    case 'message':
      return { command: 'DESTROY_CHANNEL', sid: size, cid: ioid };
    default:
      return undefined;
  }
}

function send(output: LinkOutput, message: ServerMessageToSend): void {
  if (message.command === 'PUT' && message.phase === 'exec')
    return output.sendPutDone(message.ioid, message.subcommand);
  if (!('update' in message) || message.update === null || !('bytes' in message.update)) return output.send(message);
  const { ioid, subcommand, update } = message;
  if (message.command === 'GET') return output.sendGot(ioid, subcommand, update);
  const overrun = 'overrun' in message && !message.overrun.isEmpty() ? message.overrun : undefined;
  output.sendUpdate(ioid, update, overrun);
}

function joined(parts: readonly Uint8Array[]): string {
  return Buffer.concat(parts).toString('hex');
}

function outputOn(connection: SlowConnection, clock: ManualClock, bigEndian: boolean, limits = DEFAULT_LIMITS) {
  // All that an output does with a connection.
  const written = connection as unknown as TcpConnection;
  const link = {
    address: '10.0.0.1',
    measure: () => undefined,
    stalledMs: () => 0,
    wake: () => undefined,
    shed: () => undefined,
  };
  const unsent = new UnsentLedger(limits).open(link);
  return new LinkOutput({ connection: written, clock, limits, unsent, bigEndian, readable: () => undefined });
}

describe('the output of a link', () => {
  test('is what the plain encoder writes, and stays as it was written until it is taken', () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 30 }), fc.boolean(), (steps, bigEndian) => {
        const connection = new SlowConnection();
        const clock = new ManualClock();
        const output = outputOn(connection, clock, bigEndian);
        const plain = new Writer(bigEndian);
        for (const step of steps) {
          const message = messageOf(step, bigEndian);
          if (message !== undefined) {
            encodeMessage(plain, message, { fromServer: true });
            send(output, message);
          } else if (step.kind === 'hold') output.hold();
          else if (step.kind === 'release') output.release();
          else if (step.kind === 'turn') clock.advance(0);
          else {
            connection.isSlow = step.size % 2 === 0;
            connection.take();
          }
        }
        output.release();
        output.close();
        connection.take();
        expect(joined(connection.taken)).toBe(joined([plain.view()]));
      }),
    );
  });

  test('is stuck only while its client takes nothing for a second', () => {
    const connection = new SlowConnection();
    const clock = new ManualClock();
    const output = outputOn(connection, clock, false);
    const update = preEncodeUpdate(
      { type: TYPE, changed: BitSet.of(1), value: { value: new Uint8Array(200_000) } },
      false,
    );
    const send200kB = (): void => {
      output.sendGot(1, 0, update);
      output.flush();
    };
    connection.isSlow = true;
    send200kB();
    clock.advance(999);
    expect(output.stuckBytes(clock.now())).toBe(0);
    clock.advance(1);
    expect(output.stuckBytes(clock.now())).toBeGreaterThan(200_000);
    connection.take();
    send200kB();
    expect(output.stuckBytes(clock.now())).toBe(0);
    clock.advance(1_000);
    expect(output.stuckBytes(clock.now())).toBeGreaterThan(200_000);
  });

  test('goes out in one write at the release, and else in one at the end of the turn', () => {
    const connection = new SlowConnection();
    const clock = new ManualClock();
    const output = outputOn(connection, clock, false);
    output.hold();
    output.sendPutDone(1, 0);
    output.sendPutDone(2, 0);
    expect(connection.taken).toHaveLength(0);
    output.release();
    expect(connection.taken).toHaveLength(1);
    output.sendPutDone(3, 0);
    output.sendPutDone(4, 0);
    expect(connection.taken).toHaveLength(1);
    clock.advance(0);
    expect(connection.taken).toHaveLength(2);
  });

  test('hands a large update over as it is, without a copy', () => {
    const connection = new SlowConnection();
    connection.isSlow = true;
    const written: Uint8Array[] = [];
    connection.write = (bytes) => written.push(bytes) > 0;
    const clock = new ManualClock();
    const output = outputOn(connection, clock, false);
    const value = { value: new Uint8Array(100_000) };
    const update = preEncodeUpdate({ type: TYPE, changed: BitSet.of(1), value }, false);
    output.sendUpdate(5, update, undefined);
    expect(output.unsentBytes).toBe(8 + 5 + update.bytes.length + 1);
    clock.advance(0);
    expect(written.map(({ buffer }) => buffer === update.bytes.buffer)).toEqual([false, true, false]);
  });

  test('cuts a large update where messages are to be cut', () => {
    hitsLimit('maxSegmentBytes');
    const connection = new SlowConnection();
    const clock = new ManualClock();
    const output = outputOn(connection, clock, false, { ...DEFAULT_LIMITS, maxSegmentBytes: 80_000 });
    const value = { value: new Uint8Array(100_000) };
    const update = preEncodeUpdate({ type: TYPE, changed: BitSet.of(1), value }, false);
    output.sendGot(5, 0, update);
    clock.advance(0);
    const size = 6 + update.bytes.length;
    expect(joined(connection.taken).length / 2).toBe(2 * 8 + size);
    // First segment of 80 000 bytes, then the last.
    expect(joined(connection.taken).slice(0, 16)).toBe('ca02500a80380100');
  });
});
