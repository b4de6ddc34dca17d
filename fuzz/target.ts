// What can be fuzzed? Something that takes any bytes and must keep a promise whatever they are.

import { PvaError } from '../src/protocol/errors.ts';

export interface Target {
  /** As --target names it, and the folder of its corpus. */
  readonly name: string;
  /** Inputs worth starting from, beside those of the corpus. */
  readonly seeds: () => Iterable<Uint8Array>;
  /** Makes of a mutated input one that gets further; half of the inputs go through it. */
  readonly repair?: (input: Uint8Array) => Uint8Array;
  /** Inputs are messages with their headers: a third of the inputs are good messages in a bad order. */
  readonly speaksMessages?: boolean;
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
