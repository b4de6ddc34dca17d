// What can a client ask the server itself? The PV `server` answers RPCs: which channels are there, who are you.
//
// It is not found by searching, since every server has it; tools connect to the server and open it by name, as pvxlist
// and pvlist do. Arguments come as an NTURI or as a plain structure.

import { createRequire } from 'node:module';
import type { CallRequest, Channel, ChannelUpdate, Subscriber } from '../channels/channel.ts';
import type { Peer } from '../channels/peer.ts';
import type { Source } from '../channels/source.ts';
import { BitSet } from '../protocol/bit-set.ts';
import { PvaError } from '../protocol/errors.ts';
import { ntScalar, ntScalarArray } from '../protocol/normative/nt-scalar.ts';
import { string, structure } from '../protocol/types/type-desc.ts';
import type { AnyValue, PvValue } from '../protocol/types/value-of.ts';
import { anyCodecOf } from '../protocol/values/codec.ts';
import { allLeaves } from '../protocol/values/leaf-mask.ts';

export const SERVER_PV = 'server';

const INFO = structure({ implLang: string, version: string });
const NAMES = ntScalarArray(string);
const TEXT = ntScalar(string);

const HELP = [
  "RPC with the argument 'op', plain or in the query of an NTURI:",
  "  op=channels   the names of this server's PVs",
  '  op=info       language and version of the implementation',
  '  op=help       this text',
].join('\n');

/** Offers the PV `server` of a server; `namesFor` lists the names of its PVs that a client may use. */
export function serverPvSource(namesFor: NamesFor): Source {
  const channel = new ServerPv(namesFor);
  return {
    has: () => false,
    open: (pvName) => (pvName === SERVER_PV ? channel : undefined),
    names: () => [],
    revision: 0,
  };
}

type NamesFor = (peer: Peer) => readonly string[];

class ServerPv implements Channel {
  readonly type = INFO;
  readonly isClosed = false;
  readonly state: ChannelUpdate = { changed: allLeaves(INFO), value: { implLang: 'typescript', version: version() } };
  readonly #operations: ReadonlyMap<string, (peer: Peer) => AnyValue>;
  readonly isWritable = false;

  constructor(namesFor: NamesFor) {
    this.#operations = new Map([
      ['channels', (peer: Peer) => normative(NAMES, namesFor(peer))],
      ['info', () => ({ type: INFO, value: this.state.value })],
      ['help', () => normative(TEXT, HELP)],
    ]);
  }

  put(): void {
    throw new PvaError('READ_ONLY', `the PV '${SERVER_PV}' is read-only; it answers RPCs`);
  }

  call({ argument, peer }: CallRequest): AnyValue {
    const query = argumentsOf(argument);
    // pvxs answers to an argument `help`, whatever its value.
    const op = Object.hasOwn(query, 'help') ? 'help' : query['op'];
    const operation = typeof op === 'string' ? this.#operations.get(op) : undefined;
    if (operation !== undefined) return operation(peer);
    const given = typeof op === 'string' ? `op '${op}' is not known` : "the argument 'op' is missing";
    throw new PvaError('BAD_CALL', `${given}; ${[...this.#operations.keys()].join(', ')} are`);
  }

  subscribe(subscriber: Subscriber): () => void {
    subscriber.update(this.state);
    return () => {
      // The state never changes, so nobody is told again.
    };
  }

  onClosed(): () => void {
    return () => {
      // It is there as long as the server is.
    };
  }
}

/** The arguments themselves: the query of an NTURI, or the whole structure. */
function argumentsOf(argument: AnyValue): Readonly<Record<string, unknown>> {
  const whole = asRecord(argument?.value);
  return Object.hasOwn(whole, 'query') ? asRecord(whole['query']) : whole;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  // Reading own fields of any object gives those fields.
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function normative(type: typeof NAMES | typeof TEXT, value: PvValue): AnyValue {
  const base = anyCodecOf(type).defaultValue();
  return { type, value: anyCodecOf(type).merge(base, { value }, BitSet.of(1)) };
}

/** Of this package, which is two folders above the compiled file and its source alike. */
function version(): string {
  const read: unknown = createRequire(import.meta.url)('../../package.json');
  const found = asRecord(read)['version'];
  return typeof found === 'string' ? found : '';
}
