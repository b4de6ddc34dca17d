// What can a client ask the server itself? The PV `server` answers RPCs: which channels are there, who are you, and which
// channels are to come and go.
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
import { CallArguments } from './call-arguments.ts';
import type { ManagedServer } from './manage-operations.ts';
import { SERVER_PV } from './server-pv-name.ts';

const INFO = structure({ implLang: string, version: string });
const NAMES = ntScalarArray(string);
const TEXT = ntScalar(string);

const HELP = [
  "RPC with the argument 'op', plain or in the query of an NTURI:",
  "  op=channels     the names of this server's PVs",
  '  op=info         language and version of the implementation',
  '  op=describe     type, settings and JSON Schema of the channel `name`',
  '  op=definitions  a table of the channels that have a definition',
  '  op=create       a channel `name` of a `type` such as double, or of a JSON `schema`; with a first `value` and with',
  '                  `settings`, a JSON object as the table of the configuration file. Access rules have to allow it',
  '  op=destroy      the end of the created channel `name`. Likewise',
  '  op=help         this text',
].join('\n');

/** The operations that take a while, and are loaded with the first. */
const MANAGED: readonly string[] = ['describe', 'definitions', 'create', 'destroy'];

export interface ServerPvOptions {
  /** Lists the names of the server's PVs that a client may use. */
  readonly namesFor: (peer: Peer) => readonly string[];
  /** The server as it is when something is to be created or destroyed. */
  readonly managed: () => ManagedServer;
}

/** Offers the PV `server` of a server. */
export function serverPvSource(options: ServerPvOptions): Source {
  const channel = new ServerPv(options);
  return {
    has: () => false,
    open: (pvName) => (pvName === SERVER_PV ? channel : undefined),
    names: () => [],
    revision: 0,
  };
}

type Operation = (peer: Peer, args: CallArguments) => AnyValue | Promise<AnyValue>;

class ServerPv implements Channel {
  readonly type = INFO;
  readonly isClosed = false;
  readonly state: ChannelUpdate = { changed: allLeaves(INFO), value: { implLang: 'typescript', version: version() } };
  readonly #operations: ReadonlyMap<string, Operation>;
  readonly isWritable = false;

  constructor({ namesFor, managed }: ServerPvOptions) {
    this.#operations = new Map<string, Operation>([
      ['channels', (peer) => normative(NAMES, namesFor(peer))],
      ['info', () => ({ type: INFO, value: this.state.value })],
      ...MANAGED.map((op): [string, Operation] => [
        op,
        async (peer, args) => {
          const { manage } = await import('./manage-operations.ts');
          return manage(op, { args, peer, server: managed() });
        },
      ]),
      ['help', () => normative(TEXT, HELP)],
    ]);
  }

  put(): void {
    throw new PvaError('READ_ONLY', `the PV '${SERVER_PV}' is read-only; it answers RPCs`);
  }

  call({ argument, peer }: CallRequest): AnyValue | Promise<AnyValue> {
    const args = new CallArguments(argument);
    // pvxs answers to an argument `help`, whatever its value.
    const op = args.names.includes('help') ? 'help' : args.typed('op')?.value;
    const operation = typeof op === 'string' ? this.#operations.get(op) : undefined;
    if (operation !== undefined) return operation(peer, args);
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

function normative(type: typeof NAMES | typeof TEXT, value: PvValue): AnyValue {
  const base = anyCodecOf(type).defaultValue();
  return { type, value: anyCodecOf(type).merge(base, { value }, BitSet.of(1)) };
}

/** Of this package, which is two folders above the compiled file and its source alike. */
function version(): string {
  const read: unknown = createRequire(import.meta.url)('../../package.json');
  if (typeof read !== 'object' || read === null || !('version' in read)) return '';
  return typeof read.version === 'string' ? read.version : '';
}
