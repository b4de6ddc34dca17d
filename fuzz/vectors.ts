// Which recorded bytes are inputs to start from? The messages, conversations and malformed cases of test/vectors.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from './root.ts';

const FOLDER = join(ROOT, 'test', 'vectors');

interface Recorded {
  readonly dir: string;
  /** Not there where a connection opened or closed. */
  readonly hex?: string;
}

interface Recording {
  readonly udp?: readonly Recorded[];
  readonly tcp?: readonly Recorded[];
}

interface MalformedCase {
  readonly kind: string;
  readonly hex: string;
}

export type From = 'client' | 'server';

/** Everything that one side said in each recorded conversation, in one piece. */
export function conversations(from: From): readonly Uint8Array[] {
  const dir = from === 'client' ? 'c2s' : 's2c';
  return recordings().map(({ tcp = [] }) => joined(tcp.filter((each) => each.dir === dir)));
}

export function datagrams(): readonly Uint8Array[] {
  return recordings().flatMap(({ udp = [] }) => udp.map(({ hex = '' }) => fromHex(hex)));
}

/** The recorded inputs that a decoder must survive. */
export function malformed(kind: string): readonly Uint8Array[] {
  // The project's own file; its README gives this shape.
  const { cases } = read('malformed.json') as { readonly cases: readonly MalformedCase[] };
  return cases.filter((each) => each.kind === kind).map(({ hex }) => fromHex(hex));
}

/** The fields of data.json whose names end so: `typeHexLE`, `valueHexBE`, ... */
export function dataHex(...keys: readonly string[]): readonly Uint8Array[] {
  // As above.
  const { cases } = read('data.json') as { readonly cases: readonly Readonly<Record<string, unknown>>[] };
  return cases
    .flatMap((each) => keys.map((key) => each[key]))
    .flatMap((hex) => (typeof hex === 'string' ? [fromHex(hex)] : []));
}

function recordings(): readonly Recording[] {
  const folder = join(FOLDER, 'transcripts');
  return readdirSync(folder)
    .toSorted()
    .map((name) => read(join('transcripts', name)) as Recording);
}

function joined(parts: readonly Recorded[]): Uint8Array {
  return fromHex(parts.map(({ hex = '' }) => hex).join(''));
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(join(FOLDER, name), 'utf8'));
}

function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}
