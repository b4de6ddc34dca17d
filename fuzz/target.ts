// What can be fuzzed? Something that takes any bytes and must keep a promise whatever they are.

import type { CodecName } from '../src/protocol/messages/data.ts';
import { PvaError } from '../src/protocol/errors.ts';

import type { Random } from './random.ts';

export interface Target {
  /** As --target names it, and the folder of its corpus. */
  readonly name: string;
  /** Inputs worth starting from, beside those of the corpus. */
  readonly seeds: () => Iterable<Uint8Array>;
  /** Makes of a mutated input one that gets further; half of the inputs go through it. */
  readonly repair?: (input: Uint8Array) => Uint8Array;
  /** Inputs are messages with their headers and bodies of this codec: a third of the inputs are good messages in a bad order. */
  readonly speaks?: CodecName;
  /** Makes a long input of about so many bytes, of a kind that no accident leads to; half of the long inputs are made so. */
  readonly long?: (bytes: number, random: Random) => Uint8Array;
  /** Longer inputs are not tried; 256 KiB unless something says less. */
  readonly mostBytes?: number;
  /** What an input may take however short it is, where that is more than 50 ms, and each of its bytes, where that is more than 2 us. */
  readonly baseMs?: number;
  readonly usPerByte?: number;
  /** Takes one input. What it throws or rejects with is a finding. */
  readonly run: (input: Uint8Array) => void | Promise<void>;
}

/** A promise that was not kept, though nothing threw. */
export class BrokenPromise extends Error {}

export function requireThat(holds: boolean, promise: string): void {
  if (!holds) throw new BrokenPromise(promise);
}

/** Does something that may refuse its input, with an error of the library and nothing else. */
export function mayRefuse<R>(act: () => R): R | undefined {
  try {
    return act();
  } catch (thrown) {
    if (thrown instanceof PvaError && thrown.message !== '') return undefined;
    throw thrown;
  }
}

export function utf8(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'utf8'));
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
