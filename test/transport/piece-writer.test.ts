// In what pieces does a socket get what is large, and is each seen to be taken?
import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { PieceWriter } from '../../src/transport/piece-writer.ts';

setFlagsFromString('--expose-gc');

const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * KIBIBYTE;

/** A socket whose peer takes so many bytes a millisecond. */
class Sink {
  bytesPerMs: number;
  readonly pieces: number[] = [];
  readonly taken: Buffer[] = [];
  readonly socket: Writable;

  constructor(bytesPerMs: number) {
    this.bytesPerMs = bytesPerMs;
    this.socket = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (chunk.length > 0) this.pieces.push(chunk.length);
        this.taken.push(chunk);
        setTimeout(done, chunk.length / this.bytesPerMs);
      },
    });
  }
}

function heapBytes(): number {
  runInNewContext('gc()');
  return process.memoryUsage().heapUsed;
}

function writerOf(sink: Sink): { readonly writer: PieceWriter; readonly allOut: () => void } {
  const allOut = vi.fn<() => void>();
  // A stream has all that is asked of a socket here.
  return { writer: new PieceWriter(sink.socket as Socket, allOut), allOut };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

it('a peer that takes 500 KB a second is seen to take 64 KiB each time', async () => {
  const sink = new Sink(500);
  const { writer, allOut } = writerOf(sink);
  writer.write(new Uint8Array(MEBIBYTE));
  const held: number[] = [];
  while (writer.bufferedBytes > 0) {
    held.push(writer.bufferedBytes);
    await vi.advanceTimersByTimeAsync(140);
  }
  expect(Math.max(...sink.pieces)).toBe(64 * KIBIBYTE);
  expect(new Set(held).size).toBeGreaterThan(10);
  expect(allOut).toHaveBeenCalledTimes(1);
});

it('a peer that takes 437 KB a second is seen to take 64 KiB each time also while something small is always written', async () => {
  const sink = new Sink(437);
  const { writer } = writerOf(sink);
  writer.write(new Uint8Array(8 * MEBIBYTE));
  for (let ms = 0; ms < 3_000; ms++) {
    writer.write(new Uint8Array(100));
    await vi.advanceTimersByTimeAsync(1);
  }
  expect(sink.pieces.length).toBeGreaterThan(15);
  expect(Math.max(...sink.pieces)).toBe(64 * KIBIBYTE);
});

it('a peer that takes 1 GB a second gets ever larger pieces, up to 2 MiB, and every byte in its order', async () => {
  const sink = new Sink(1_000_000);
  const { writer, allOut } = writerOf(sink);
  const bytes = new Uint8Array(20 * MEBIBYTE).map((_, index) => index % 251);
  writer.write(bytes);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(sink.pieces.slice(0, 4)).toEqual([64, 128, 256, 512].map((count) => count * KIBIBYTE));
  expect(Math.max(...sink.pieces)).toBe(2 * MEBIBYTE);
  expect(Buffer.concat(sink.taken).equals(bytes)).toBe(true);
  expect(allOut).toHaveBeenCalledTimes(1);
});

it('a peer that becomes slow is seen to take something before a crowd takes it for stalled, and then 64 KiB each time', async () => {
  const sink = new Sink(1_000_000);
  const { writer } = writerOf(sink);
  writer.write(new Uint8Array(20 * MEBIBYTE));
  await vi.advanceTimersByTimeAsync(1_000);
  sink.bytesPerMs = 300;
  sink.pieces.length = 0;
  writer.write(new Uint8Array(6 * MEBIBYTE));
  const held = writer.bufferedBytes;
  await vi.advanceTimersByTimeAsync(DEFAULT_LIMITS.crowdedStallMs);
  expect(writer.bufferedBytes).toBeLessThan(held);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(sink.pieces[0]).toBe(2 * MEBIBYTE);
  expect(Math.max(...sink.pieces.slice(1))).toBe(64 * KIBIBYTE);
  expect(writer.bufferedBytes).toBe(0);
});

it('a peer that was idle for a while is as quick as before', async () => {
  const sink = new Sink(1_000_000);
  const { writer } = writerOf(sink);
  writer.write(new Uint8Array(20 * MEBIBYTE));
  await vi.advanceTimersByTimeAsync(1_000);
  sink.pieces.length = 0;
  writer.write(new Uint8Array(100));
  writer.write(new Uint8Array(20 * MEBIBYTE));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(new Set(sink.pieces.slice(3))).toEqual(new Set([2 * MEBIBYTE]));
});

it('what is out takes no memory, also where something has waited ever since', async () => {
  let takeAll = (): void => undefined;
  const take = (done: () => void): void => void (takeAll = done);
  const socket = new Writable({
    write: (_chunk, _encoding, done) => take(done),
    writev: (_chunks, done) => take(done),
  });
  const writer = new PieceWriter(socket as Socket, () => undefined);
  const little = new Uint8Array(100);
  writer.write(new Uint8Array(3 * MEBIBYTE));
  const before = heapBytes();
  for (let round = 0; round < 50; round++) {
    for (let index = 0; index < 10_600; index++) writer.write(little);
    takeAll();
    await new Promise(setImmediate);
    expect(writer.bufferedBytes).toBeGreaterThan(MEBIBYTE);
  }
  // A place for each of the half million would be 4 MB.
  expect(heapBytes() - before).toBeLessThan(MEBIBYTE);
});

it('what is small goes out at once, and whoever waits is told when a slow peer has taken it', async () => {
  const sink = new Sink(10);
  const { writer, allOut } = writerOf(sink);
  expect(writer.write(new Uint8Array(100))).toBe(true);
  expect(allOut).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(20);
  expect(allOut).toHaveBeenCalledTimes(1);
  expect(writer.bufferedBytes).toBe(0);
});
