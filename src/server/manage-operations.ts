// How does a client create, describe, list and destroy channels? By RPCs to the PV `server`, as far as access rules allow
// it: `manage` to create and destroy, `read` to describe.

import type { AccessRights } from '../channels/access/rights.ts';
import type { Peer } from '../channels/peer.ts';
import { StoreError } from '../channels/stores/store-error.ts';
import { parsePvName } from '../config/channel-type.ts';
import { PvaError, reasonOf } from '../protocol/errors.ts';
import type { Limits } from '../protocol/limits.ts';
import { tableValue } from '../protocol/normative/nt-table.ts';
import { jsonSchema } from '../protocol/types/json-schema.ts';
import { typeToLine } from '../protocol/types/text.ts';
import { string, structure, type StructureType } from '../protocol/types/type-desc.ts';
import type { AnyValue } from '../protocol/types/value-of.ts';
import { typeJson } from '../protocol/values/format-json.ts';
import type { AccessControl } from './access-control.ts';
import { refusalText } from './access-gate.ts';
import type { CallArguments } from './call-arguments.ts';
import { taken, type ChannelManager, type ManagedChannel } from './channel-manager.ts';
import type { Directory } from './directory.ts';
import { loggedValue } from './logged-value.ts';
import type { NoticeBoard } from './notices.ts';
import type { LoggedChange, PutLog } from './put-log.ts';
import { SERVER_PV } from './server-pv-name.ts';

/** What these operations need of a server. */
export interface ManagedServer {
  /** Undefined where nothing can be created. */
  readonly manager: ChannelManager | undefined;
  readonly directory: Directory;
  readonly access: AccessControl;
  readonly putLog: PutLog | undefined;
  readonly notices: NoticeBoard;
  readonly limits: Limits;
}

/** One request. */
interface Ask {
  readonly args: CallArguments;
  readonly peer: Peer;
  readonly server: ManagedServer;
}

/** What is answered of one channel: its type as `create` takes it, settings and JSON Schema as JSON, who defined it. */
const DESCRIPTION = structure('pvkit/channel:1.0', {
  name: string,
  type: string,
  settings: string,
  schema: string,
  origin: string,
});
/** The origin of a PV that has no definition: the program that serves it made it. */
const OF_PROGRAM = 'program';

type Operation = (ask: Ask) => Promise<AnyValue>;

/** Arguments beside `op` that each takes; others are mistakes. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  create: ['name', 'type', 'schema', 'value', 'settings'],
  describe: ['name'],
  destroy: ['name'],
  definitions: [],
};

const OPERATIONS: Readonly<Record<string, Operation>> = { create, describe, destroy, definitions };

/** Carries out an operation that `ARGUMENTS` knows. Rejects with a PvaError that says why not. */
export async function manage(op: string, ask: Ask): Promise<AnyValue> {
  const known = ['op', ...(ARGUMENTS[op] ?? [])];
  const foreign = ask.args.names.find((name) => !known.includes(name));
  if (foreign !== undefined)
    throw new PvaError('BAD_CALL', `op '${op}' has no argument '${foreign}'; ${known.join(', ')} are`);
  const operation = OPERATIONS[op];
  if (operation === undefined) throw new PvaError('BAD_CALL', `op '${op}' is not known`);
  return operation(ask);
}

async function create(ask: Ask): Promise<AnyValue> {
  const { args, peer, server } = ask;
  const name = nameIn(args);
  return logged('CREATE', name, ask, async (changed) => {
    requireManage(ask, name);
    const manager = requireManager(server);
    if (server.directory.has(name)) throw taken(name);
    // Loaded late: it brings what reads TOML.
    const { definitionFromArguments } = await import('./create-arguments.ts');
    const created = await manager.create(definitionFromArguments(name, args, server.limits));
    changed.push({ field: 'type', old: null, new: loggedValue(string, typeText(created)) });
    const value = args.typed('value');
    if (value !== undefined) changed.push({ field: 'value', old: null, new: loggedValue(value.type, value.value) });
    notice(server, 'channelCreated', `channel '${name}' was created by ${whoIs(peer)}`);
    return descriptionOf(created);
  });
}

async function destroy(ask: Ask): Promise<AnyValue> {
  const { args, peer, server } = ask;
  const name = nameIn(args);
  return logged('DESTROY', name, ask, async (changed) => {
    requireManage(ask, name);
    const destroyed = await requireManager(server).destroy(name);
    changed.push({ field: 'type', old: loggedValue(string, typeText(destroyed)), new: null });
    notice(server, 'channelDestroyed', `channel '${name}' was destroyed by ${whoIs(peer)}`);
    return descriptionOf(destroyed);
  });
}

async function describe(ask: Ask): Promise<AnyValue> {
  const { args, peer, server } = ask;
  const name = nameIn(args);
  requireRight(ask, name, 'read', ({ read }) => read);
  const managed = await server.manager?.describe(name);
  if (managed !== undefined) return descriptionOf(managed);
  const channel = await server.directory.open(name, peer);
  if (channel === undefined || channel.isClosed) throw new PvaError('NO_SUCH_CHANNEL', `there is no PV '${name}' here`);
  return description(name, channel.type, typeJson(channel.type), '', OF_PROGRAM);
}

async function definitions({ peer, server }: Ask): Promise<AnyValue> {
  const all = (await server.manager?.list()) ?? [];
  const visible = new Set(
    server.access.visibleTo(
      peer,
      all.map(({ definition: { name } }) => name),
    ),
  );
  const shown = all.filter(({ definition: { name } }) => visible.has(name));
  shown.sort((one, other) => (one.definition.name < other.definition.name ? -1 : 1));
  const columns = {
    name: shown.map(({ definition: { name } }) => name),
    type: shown.map((channel) => shortTypeText(channel)),
    origin: shown.map(({ origin }) => origin),
  };
  return tableValue(columns, { types: { name: string, type: string, origin: string } });
}

// --- what they have in common ----------------------------------------------------------------------------------

function nameIn(args: CallArguments): string {
  const name = args.text('name');
  if (name === undefined) throw new PvaError('BAD_CALL', "the argument 'name' is missing; expected a PV name");
  const parsed = parsePvName(name);
  if (parsed.ok) return name;
  throw new PvaError('BAD_CALL', `the argument 'name': ${parsed.wrong}`);
}

function requireManager({ manager }: ManagedServer): ChannelManager {
  if (manager !== undefined) return manager;
  throw new PvaError('NOT_MANAGED', 'this server has no store that channels could be created in or destroyed');
}

function requireManage(ask: Ask, name: string): void {
  if (name === SERVER_PV)
    throw new PvaError('RESERVED', `'${name}' is the PV of the server itself, which every server has`);
  requireRight(ask, name, 'manage', ({ manage: may }) => may === true);
}

function requireRight(
  { peer, server: { access } }: Ask,
  name: string,
  needed: string,
  isMet: (rights: AccessRights) => boolean,
): void {
  const rights = access.rightsOf(peer, name);
  if (!isMet(rights)) throw new PvaError('ACCESS', refusalText(peer, name, needed, rights));
}

/** Has the put log told what became of it. `act` adds what was changed. */
async function logged(
  operation: 'CREATE' | 'DESTROY',
  pvName: string,
  { peer, server: { putLog } }: Ask,
  act: (changed: LoggedChange[]) => Promise<AnyValue>,
): Promise<AnyValue> {
  const changed: LoggedChange[] = [];
  try {
    const answer = await act(changed);
    putLog?.managed(operation, { peer, pvName, changed }, 'accepted');
    return answer;
  } catch (thrown) {
    // The store may have done it all the same.
    const isUnknown = thrown instanceof StoreError && thrown.reason === 'STORE_UNCERTAIN';
    putLog?.managed(operation, { peer, pvName, changed }, isUnknown ? 'unfinished' : 'refused', reasonOf(thrown));
    throw thrown;
  }
}

function notice({ notices }: ManagedServer, kind: 'channelCreated' | 'channelDestroyed', text: string): void {
  notices.publish({ kind, level: 'info', text });
}

function whoIs({ user, host, address }: Peer): string {
  return host === '' ? `user '${user}' at ${address}` : `user '${user}' on host '${host}' at ${address}`;
}

function descriptionOf(channel: ManagedChannel): AnyValue {
  const { definition, origin } = channel;
  const { type: _, ...settings } = definition.settings;
  return description(definition.name, definition.type, typeText(channel), JSON.stringify(settings), origin);
}

function description(name: string, type: StructureType, text: string, settings: string, origin: string): AnyValue {
  return { type: DESCRIPTION, value: { name, type: text, settings, schema: jsonSchema(type, name), origin } };
}

/** As `create` takes it. */
function typeText({ definition: { settings, type } }: ManagedChannel): string {
  const text = settings['type'];
  return typeof text === 'string' ? text : typeToLine(type);
}

/** For people. */
function shortTypeText(channel: ManagedChannel): string {
  const text = typeText(channel);
  return text.startsWith('{') ? typeToLine(channel.definition.type) : text;
}
