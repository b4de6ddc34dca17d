// What may one input cost? Time and memory are promises, too, and an error that nobody waits for is as bad as any.

import { getHeapStatistics } from 'node:v8';

import { pace } from './pace.ts';
import type { Target } from './target.ts';
import type { Watchdog } from './watchdog.ts';

/**
 * What an input may take, whatever its length, and for each of its bytes: more is more than in proportion to what came. On a
 * quiet machine no input takes half of it; one that is slower just then gets more.
 */
const BASE_MS = 50;
const US_PER_BYTE = 2;
const US_PER_MS = 1_000;
/** The same of memory. An input that takes more was believed what it claims to be. */
const BASE_MEMORY_BYTES = 64 * 1024 * 1024;
const MEMORY_PER_BYTE = 1_024;
/** A machine that was busy, or code that was compiled just then, is no fault of the input. */
const TRIES = 5;

interface Cost {
  readonly ms: number;
  readonly bytes: number;
}

export class Guard {
  readonly #watchdog: Watchdog | undefined;
  readonly #pace: () => number;
  #stray: unknown;
  #hasStray = false;
  /** Of the inputs that kept their promises. */
  mostMs = 0;
  mostBytes = 0;
  /** The largest part that one took of the time it may take, from 0 to 1; above 1 where the machine was slow. */
  mostPart = 0;

  constructor(watchdog?: Watchdog, machinePace: () => number = pace) {
    this.#watchdog = watchdog;
    this.#pace = machinePace;
  }

  /** Also takes the errors that reach nobody, until `close`. */
  listen(): void {
    process.on('uncaughtException', this.#keep);
    process.on('unhandledRejection', this.#keep);
  }

  close(): void {
    process.off('uncaughtException', this.#keep);
    process.off('unhandledRejection', this.#keep);
  }

  /**
   * Why an input breaks a promise; undefined when it breaks none. It may take `leniency` times what is promised: who looks
   * for a smaller input that still breaks it wants to be sure.
   */
  async reasonAgainst(target: Target, input: Uint8Array, leniency = 1): Promise<string | undefined> {
    const { baseMs = BASE_MS, usPerByte = US_PER_BYTE } = target;
    const promisedMs = baseMs + (input.length * usPerByte) / US_PER_MS;
    let mostMs = leniency * promisedMs;
    const mostBytes = leniency * (BASE_MEMORY_BYTES + input.length * MEMORY_PER_BYTE);
    let least: Cost = { ms: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
    for (let tries = 0; tries < TRIES; tries++) {
      const cost = await this.#costOf(target, input);
      if (typeof cost === 'string') return cost;
      least = { ms: Math.min(least.ms, cost.ms), bytes: Math.min(least.bytes, cost.bytes) };
      if (least.ms > mostMs) mostMs = Math.max(mostMs, leniency * promisedMs * this.#pace());
      if (least.ms > mostMs || least.bytes > mostBytes) continue;
      this.mostMs = Math.max(this.mostMs, least.ms);
      this.mostBytes = Math.max(this.mostBytes, least.bytes);
      this.mostPart = Math.max(this.mostPart, least.ms / promisedMs);
      return undefined;
    }
    return least.ms > mostMs
      ? `too slow: ${input.length} bytes took ${Math.round(least.ms)} ms, at most ${Math.round(mostMs)} expected`
      : `took ${least.bytes} bytes of memory, at most ${mostBytes} expected`;
  }

  /** An error that reached nobody since this was asked last. */
  takeStray(): string | undefined {
    if (!this.#hasStray) return undefined;
    this.#hasStray = false;
    return `an error that nobody waits for: ${textOf(this.#stray)}`;
  }

  async #costOf(target: Target, input: Uint8Array): Promise<Cost | string> {
    this.#watchdog?.begin(target.name, input);
    const bytesBefore = heldBytes();
    const before = performance.now();
    const cpuBefore = process.cpuUsage();
    try {
      // Promises are awaited only where there are any: that costs as much as a small input.
      const running = target.run(Uint8Array.from(input));
      if (running !== undefined) {
        await running;
        await turn();
      }
    } catch (thrown) {
      return textOf(thrown);
    } finally {
      this.#watchdog?.end();
    }
    const stray = this.takeStray();
    if (stray !== undefined) return stray;
    return {
      ms: Math.min(performance.now() - before, cpuMs(cpuBefore)),
      bytes: Math.max(0, heldBytes() - bytesBefore),
    };
  }

  readonly #keep = (thrown: unknown): void => {
    this.#stray = thrown;
    this.#hasStray = true;
  };
}

/** What the process worked, in which a machine that is busy with other things has no part; other threads have. */
function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / US_PER_MS;
}

/** Node tells of promises that nobody waits for at the end of a turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** What the collector has not freed, values and array buffers. It runs when it likes: less than was taken, never more. */
function heldBytes(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
