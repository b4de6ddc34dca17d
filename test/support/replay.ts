// What does our server answer to the recorded bytes of a client? It is given PVs of the recorded types and values, every
// change that the recorded server made by itself is posted when it shows, and each answer is held against the recorded.
//
// The client's bytes go as they were recorded, segments and type ids included; only serverChannelIDs are ours. Over another
// codec its messages go one by one, encoded anew.

import { BitSet } from '../../src/protocol/bit-set.ts';
import type { ChannelUpdate } from '../../src/channels/channel.ts';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { stamped } from '../../src/channels/standard-fields.ts';
import type { Codec } from '../../src/protocol/codecs/codec.ts';
import { pva } from '../../src/protocol/codecs/pva.ts';
import { encodeMessage, type ClientMessage, type ServerMessage } from '../../src/protocol/messages/index.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { isSuccess } from '../../src/protocol/status.ts';
import { structure, string, type StructureType } from '../../src/protocol/types/type-desc.ts';
import { Framer } from '../../src/protocol/framer.ts';
import { fieldPaths } from '../../src/protocol/values/field-paths.ts';
import { anyCodecOf } from '../../src/protocol/values/codec.ts';
import { leafMask } from '../../src/protocol/values/leaf-mask.ts';
import type { AnyValue } from '../../src/protocol/types/value-of.ts';
import type { TypedUpdate } from '../../src/protocol/values/update.ts';
import type { TcpConnection } from '../../src/transport/network.ts';
import { makeWorld, type World } from './server-world.ts';
import {
  isBytes,
  LinkDecoder,
  messagesOf,
  ownFrame,
  type RecordedBytes,
  type RecordedConversation,
  type RecordedMessage,
} from './transcript.ts';
import { plain } from './plain.ts';
import { fromHex } from './vectors.ts';

/** One recorded answer and ours, as plain data with what may differ left out. */
export interface Comparison {
  readonly what: string;
  readonly recorded: unknown;
  readonly ours: unknown;
}

export interface ReplayResult {
  readonly comparisons: readonly Comparison[];
  /** What our server said beyond the recorded. */
  readonly extra: readonly ServerMessage[];
  readonly linksFaulted: number;
}

/** Commands whose body begins with a serverChannelID. */
const WITH_SID: ReadonlySet<string> = new Set([
  'GET',
  'PUT',
  'PUT_GET',
  'MONITOR',
  'ARRAY',
  'PROCESS',
  'RPC',
  'GET_FIELD',
  'DESTROY_CHANNEL',
  'DESTROY_REQUEST',
  'CANCEL_REQUEST',
]);
/** Set by the recorded server at its own time, even in answer to a put. */
const OWN_FIELDS = /^(alarm|display|control|valueAlarm)\b|\.alarm\b/;
const SERVER_PV = 'server';
const UNTOLD = structure({ nothing: string });

/** What is known of one connection while it is replayed. */
interface Replayed {
  readonly decoder: LinkDecoder;
  readonly recordedDecoder: LinkDecoder;
  readonly fromServer: Framer;
  readonly fromClient: Framer;
  readonly heard: ServerMessage[];
  readonly sids: Map<number, number>;
  readonly names: Map<number, string>;
  connection: TcpConnection | undefined;
}

/** With `pvs` these are served, and do what they do; nothing is posted to them. Over `codec`, pvAccess unless it is given. */
export async function replay(
  recorded: RecordedConversation,
  pvs?: Readonly<Record<string, SharedPV>>,
  codec: Codec = pva,
): Promise<ReplayResult> {
  return new Replay(recorded, pvs, codec).run();
}

class Replay {
  readonly #recorded: RecordedConversation;
  readonly #given: Readonly<Record<string, SharedPV>> | undefined;
  readonly #codec: Codec;
  readonly #messages: readonly RecordedMessage[];
  /** PV name by connection and requestID. */
  readonly #pvOfOperation = new Map<string, string>();
  readonly #putNames = new Set<string>();
  readonly #pvs = new Map<string, SharedPV>();
  readonly #links = new Map<number, Replayed>();
  readonly #comparisons: Comparison[] = [];
  /** Index into `#messages` of the next message to be replayed. */
  #at = 0;

  get #isIoc(): boolean {
    return this.#recorded.server.includes('IOC') || this.#recorded.server.includes('softIoc');
  }

  constructor(recorded: RecordedConversation, given: Readonly<Record<string, SharedPV>> | undefined, codec: Codec) {
    this.#recorded = recorded;
    this.#given = given;
    this.#codec = codec;
    this.#messages = messagesOf(recorded);
  }

  async run(): Promise<ReplayResult> {
    this.#host();
    const isBigEndian = this.#messages.some(({ frame }) => frame.header.fromServer && frame.header.bigEndian);
    const world = await makeWorld({
      pvs: Object.fromEntries(this.#pvs),
      byteOrder: isBigEndian ? 'big' : 'little',
      config: this.#codec === pva ? {} : { msgpackPort: 0 },
    });
    for (const item of this.#recorded.tcp) {
      if (!isBytes(item)) {
        if (item.event === 'connect') await this.#connect(world, item.conn);
        else await this.#disconnect(world, item.conn, item.dir);
      } else if (item.dir === 'c2s') await this.#say(world, item);
      else await this.#hear(world, item);
    }
    const extra = [...this.#links.values()].flatMap(({ heard }) => heard);
    const { linksFaulted } = world.server.counters;
    await world.clock.until(world.server.close());
    return { comparisons: this.#comparisons, extra, linksFaulted };
  }

  /** Makes a PV of every recorded name: its type from the first INIT, its value from the first data. */
  #host(): void {
    const names = new Map<string, string>();
    const types = new Map<string, StructureType>();
    const first = new Map<string, TypedUpdate>();
    const known = new Set<string>();
    for (const [index, { conn, dir, message }] of this.#messages.entries()) {
      if (message === undefined) continue;
      if (dir === 'c2s' && message.command === 'CREATE_CHANNEL' && 'channels' in message) {
        for (const { cid, pvName } of message.channels) names.set(`cid ${conn} ${cid}`, pvName);
      } else if (dir === 's2c' && message.command === 'CREATE_CHANNEL' && 'cid' in message) {
        const pvName = names.get(`cid ${conn} ${message.cid}`) ?? '';
        names.set(`sid ${conn} ${message.sid}`, pvName);
        if (isSuccess(message.status)) known.add(pvName);
      } else if (dir === 'c2s' && 'ioid' in message && 'sid' in message) {
        const pvName = names.get(`sid ${conn} ${message.sid}`) ?? '';
        this.#pvOfOperation.set(`${conn} ${message.ioid}`, pvName);
        if (message.command === 'PUT' && message.phase === 'exec') this.#putNames.add(pvName);
      } else if (dir === 's2c' && 'ioid' in message) {
        const pvName = this.#pvName(conn, message.ioid);
        const type = 'type' in message && message.command !== 'ARRAY' ? message.type : null;
        if (type?.kind === 'structure' && !types.has(pvName)) types.set(pvName, type);
        const update = dataOf(message as ServerMessage);
        if (update !== undefined && index >= this.#at && !first.has(pvName)) first.set(pvName, update);
        if (pvName === SERVER_PV && message.command === 'RPC' && 'result' in message) {
          for (const listed of namesIn(message.result)) known.add(listed);
        }
      }
    }
    if (this.#given !== undefined) {
      for (const [pvName, pv] of Object.entries(this.#given)) this.#pvs.set(pvName, pv);
      return;
    }
    for (const pvName of known) {
      // The server has a PV of this name itself.
      if (pvName === SERVER_PV) continue;
      this.#pvs.set(pvName, this.#makePv(pvName, types.get(pvName) ?? UNTOLD, first.get(pvName)));
    }
  }

  #makePv(pvName: string, type: StructureType, initial: TypedUpdate | undefined): SharedPV {
    const pv: SharedPV = new SharedPV(type, {
      onPut: (put) => {
        const reply = this.#nextReply('PUT', pvName);
        if (reply?.command === 'PUT' && 'status' in reply && !isSuccess(reply.status))
          throw new Error(reply.status.message);
        pv.post(stamped(type, this.#isIoc ? withinControl(put) : put, 0));
      },
      onCall: () => {
        const reply = this.#nextReply('RPC', pvName);
        if (reply?.command !== 'RPC' || reply.phase !== 'exec') return null;
        if (!isSuccess(reply.status)) throw new Error(reply.status.message);
        return reply.result;
      },
    });
    if (initial?.type === type) pv.post(initial);
    return pv;
  }

  #pvName(conn: number, ioid: number): string {
    return this.#pvOfOperation.get(`${conn} ${ioid}`) ?? '';
  }

  /** What the recorded server answered next to a request of this command for a PV. */
  #nextReply(command: string, pvName: string): ServerMessage | undefined {
    for (const { conn, dir, message } of this.#messages.slice(this.#at)) {
      if (dir !== 's2c' || message?.command !== command || !('ioid' in message)) continue;
      if (this.#pvName(conn, message.ioid) === pvName) return message as ServerMessage;
    }
    return undefined;
  }

  async #connect(world: World, conn: number): Promise<void> {
    const connection = await world.clock.until(
      world.host.connectTcp({ address: '127.0.0.1', port: world.server.msgpackPort ?? world.server.tcpPort }),
    );
    const framer = new Framer({ expectFromServer: true });
    const link: Replayed = {
      decoder: new LinkDecoder(undefined, this.#codec),
      recordedDecoder: new LinkDecoder(),
      fromServer: new Framer({ expectFromServer: true }),
      fromClient: new Framer({ expectFromServer: false }),
      heard: [],
      sids: new Map(),
      names: new Map(),
      connection,
    };
    connection.listen({
      data: (chunk) =>
        framer.push(chunk, (frame) => {
          const message = link.decoder.decodeServer(ownFrame(frame));
          if (message !== undefined) link.heard.push(message);
        }),
      drain: () => undefined,
      close: () => (link.connection = undefined),
    });
    this.#links.set(conn, link);
    await world.settle();
  }

  async #disconnect(world: World, conn: number, by: 'c2s' | 's2c'): Promise<void> {
    const connection = this.#links.get(conn)?.connection;
    connection?.destroy();
    await world.settle();
    if (by === 'c2s' || connection === undefined) return;
    // The recorded server ended: the next one begins with values of its own.
    for (const pvName of this.#pvs.keys()) world.server.remove(pvName);
    this.#pvs.clear();
    this.#host();
    for (const [pvName, pv] of this.#pvs) world.server.add(pvName, pv);
  }

  /** Says to our server what the recorded client said. */
  async #say(world: World, item: RecordedBytes): Promise<void> {
    const link = this.#link(item.conn);
    const bytes = fromHex(item.hex);
    const { segment, bigEndian, commandName } = item.header;
    if (WITH_SID.has(commandName) && (segment === 'none' || segment === 'first')) {
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      const sid = view.getUint32(8, !bigEndian);
      view.setUint32(8, link.sids.get(sid) ?? sid, !bigEndian);
    }
    const messages: ClientMessage[] = [];
    link.fromClient.push(fromHex(item.hex), (frame) => {
      this.#at++;
      const message = link.recordedDecoder.decodeClient(ownFrame(frame));
      if (message !== undefined) messages.push(message);
      if (message !== undefined) this.#prepare(item.conn, message);
      // Ours is to read its own answers with the same operations.
      if (message !== undefined && 'ioid' in message && 'phase' in message && message.phase === 'init') {
        const known = link.recordedDecoder.operations.get(message.ioid);
        if (known !== undefined) link.decoder.operations.set(message.ioid, known);
      }
    });
    link.connection?.write(this.#codec === pva ? bytes : this.#encoded(messages, link));
    await world.settle();
  }

  /** The messages as the codec has them; late data, which nobody can encode, is left out. */
  #encoded(messages: readonly ClientMessage[], { sids }: Replayed): Uint8Array {
    const codec = this.#codec;
    const writer = new Writer(codec.orderOf(false));
    for (const message of messages) {
      if ('phase' in message && message.phase === 'outOfScope') continue;
      // The order of the client's headers is not that of the recording.
      if (message.command === 'SET_BYTE_ORDER') continue;
      const ours = 'sid' in message ? { ...message, sid: sids.get(message.sid) ?? message.sid } : message;
      encodeMessage(writer, ours, { fromServer: false, codec });
    }
    return writer.copy();
  }

  /** Brings the PV to the state that the recorded answer shows, in what the recorded server changed by itself. */
  #prepare(conn: number, message: ClientMessage): void {
    if (this.#given !== undefined || !('ioid' in message) || !('phase' in message)) return;
    const isRead =
      (message.command === 'GET' && message.phase === 'exec') ||
      (message.command === 'PUT' && message.phase === 'get') ||
      (message.command === 'MONITOR' && message.phase === 'init');
    if (!isRead) return;
    const pvName = this.#pvName(conn, message.ioid);
    for (const later of this.#messages.slice(this.#at)) {
      if (later.conn !== conn || later.dir !== 's2c' || later.message === undefined) continue;
      if (!('ioid' in later.message) || later.message.ioid !== message.ioid) continue;
      const update = dataOf(later.message as ServerMessage);
      if (update === undefined) continue;
      this.#postOwn(pvName, update, !this.#putNames.has(pvName));
      return;
    }
  }

  /** As the recorded server did by itself. */
  #post(pvName: string, update: TypedUpdate): void {
    const pv = this.#pvs.get(pvName);
    if (pv !== undefined && pv.type === update.type) pv.post(update);
  }

  #postOwn(pvName: string, update: TypedUpdate, everything: boolean): void {
    const pv = this.#pvs.get(pvName);
    if (pv === undefined || pv.type !== update.type) return;
    const changed = BitSet.empty();
    for (const bit of leafMask(pv.type, update.changed)) {
      const [path = ''] = fieldPaths(pv.type, BitSet.of(bit));
      if (!everything && !OWN_FIELDS.test(path)) continue;
      if (!isSame(pv, bit, update)) changed.add(bit);
    }
    if (!changed.isEmpty()) pv.post({ changed, value: update.value });
  }

  /** Holds what our server has said against what the recorded server said. */
  async #hear(world: World, item: RecordedBytes): Promise<void> {
    const link = this.#link(item.conn);
    const recorded: ServerMessage[] = [];
    link.fromServer.push(fromHex(item.hex), (frame) => {
      this.#at++;
      const message = link.recordedDecoder.decodeServer(ownFrame(frame));
      if (message !== undefined) recorded.push(message);
    });
    for (const message of recorded) await this.#compare(world, item.conn, link, message);
  }

  async #compare(world: World, conn: number, link: Replayed, recorded: ServerMessage): Promise<void> {
    // For people only; core-pva alone sends access rights.
    if (recorded.command === 'MESSAGE' || recorded.command === 'ACL_CHANGE') return;
    if (recorded.command === 'MONITOR' && !link.heard.some((message) => answers(message, recorded))) {
      const pvName = this.#pvName(conn, recorded.ioid);
      if (recorded.phase === 'update') this.#post(pvName, recorded.update);
      if (recorded.phase === 'final') this.#pvs.get(pvName)?.finish(recorded.status);
      await world.settle();
    }
    if (recorded.command === 'DESTROY_CHANNEL' && !link.heard.some((message) => answers(message, recorded))) {
      const pvName = link.names.get(recorded.sid) ?? '';
      const pv = this.#pvs.get(pvName);
      world.server.remove(pvName);
      if (pv !== undefined) world.server.add(pvName, pv);
      await world.settle();
    }
    const index = link.heard.findIndex((message) => answers(message, recorded));
    const [ours] = index === -1 ? [] : link.heard.splice(index, 1);
    if (recorded.command === 'CREATE_CHANNEL' && ours?.command === 'CREATE_CHANNEL') {
      link.sids.set(recorded.sid, ours.sid);
      const create = this.#messages.find(
        ({ conn: other, message }) =>
          other === conn &&
          message?.command === 'CREATE_CHANNEL' &&
          'channels' in message &&
          message.channels.some(({ cid }) => cid === recorded.cid),
      );
      if (create?.message?.command === 'CREATE_CHANNEL' && 'channels' in create.message) {
        link.names.set(recorded.sid, create.message.channels.find(({ cid }) => cid === recorded.cid)?.pvName ?? '');
      }
    }
    const what = 'ioid' in recorded ? `${recorded.command} ${this.#pvName(conn, recorded.ioid)}` : recorded.command;
    const about = what === `RPC ${SERVER_PV}` ? aboutServer : essence;
    this.#comparisons.push({ what, recorded: about(recorded), ours: ours && about(ours) });
  }

  #link(conn: number): Replayed {
    const link = this.#links.get(conn);
    if (link === undefined) throw new Error(`${this.#recorded.name}: connection ${conn} was never made`);
    return link;
  }
}

/** Whether a message of ours is the one that stands for a recorded one. */
function answers(ours: ServerMessage, recorded: ServerMessage): boolean {
  if (ours.command !== recorded.command) return false;
  if ('ioid' in ours && 'ioid' in recorded && ours.ioid !== recorded.ioid) return false;
  return !('phase' in ours && 'phase' in recorded) || ours.phase === recorded.phase;
}

function dataOf(message: ServerMessage): TypedUpdate | undefined {
  if (!('update' in message)) return undefined;
  return message.update ?? undefined;
}

function isSame(pv: SharedPV, bit: number, update: TypedUpdate): boolean {
  if (!pv.state.changed.has(bit)) return false;
  return encodedLeaf(pv.type, bit, pv.state.value) === encodedLeaf(pv.type, bit, update.value);
}

function encodedLeaf(type: StructureType, bit: number, value: unknown): string {
  const codec = anyCodecOf(type);
  const [path = ''] = fieldPaths(type, BitSet.of(bit));
  // Whatever it is, its field at the path is compared as plain data.
  let at: unknown = codec.merge(codec.defaultValue(), value as never, BitSet.of(bit));
  for (const name of path.split('.')) at = (at as Record<string, unknown>)[name];
  return JSON.stringify(plain(at), (_, inner: unknown) => {
    if (typeof inner === 'bigint' || typeof inner === 'number') return String(inner);
    return ArrayBuffer.isView(inner) ? [...(inner as unknown as Iterable<unknown>)].map(String) : inner;
  });
}

/** What has to be equal: not ids of the server, GUIDs, ports, times, and the words of a refusal. */
function essence(message: ServerMessage): unknown {
  switch (message.command) {
    case 'CREATE_CHANNEL':
      return { command: message.command, cid: message.cid, isSuccess: isSuccess(message.status) };
    case 'DESTROY_CHANNEL':
      return { command: message.command, cid: message.cid };
    case 'ECHO':
      return { command: message.command, payload: [...message.payload] };
    case 'CONNECTION_VALIDATION':
      return { command: message.command, methods: message.methods };
    case 'SEARCH_RESPONSE': {
      const { command, sequenceId, protocol, found, instanceIds } = message;
      return { command, sequenceId, protocol, found, instanceIds };
    }
    default: {
      const { status, update, ...rest } = { status: undefined, update: undefined, ...message };
      return plain({
        ...rest,
        ...(status !== undefined && { isSuccess: isSuccess(status) }),
        ...(update !== undefined && update !== null && { update: fieldsOf(update) }),
      });
    }
  }
}

/** A record keeps its value within its control limits. */
function withinControl(put: ChannelUpdate): ChannelUpdate {
  const { value, control } = put.value as { value?: unknown; control?: { limitLow?: unknown; limitHigh?: unknown } };
  const { limitLow, limitHigh } = control ?? {};
  if (typeof value !== 'number' || typeof limitLow !== 'number' || typeof limitHigh !== 'number') return put;
  if (limitLow >= limitHigh) return put;
  return { changed: put.changed, value: { ...put.value, value: Math.min(Math.max(value, limitLow), limitHigh) } };
}

/** Names of PVs in what the PV `server` answers. */
function namesIn(result: AnyValue): readonly string[] {
  const value = (result as { value?: { value?: unknown } } | null)?.value?.value;
  return Array.isArray(value) ? value.map(String).toSorted() : [];
}

/** Servers differ in the types they answer with, and in what they call themselves. */
function aboutServer(message: ServerMessage): unknown {
  if (message.command !== 'RPC' || message.phase !== 'exec') return essence(message);
  const { ioid, subcommand, status, result } = message;
  return { ioid, subcommand, isSuccess: isSuccess(status), names: namesIn(result) };
}

/** Every field that an update carries, by path; of a time stamp only that it is there. */
function fieldsOf(update: TypedUpdate): unknown {
  const { type, changed, value } = update;
  if (type.kind !== 'structure') return plain(update);
  return Object.fromEntries(
    [...leafMask(type, changed)].map((bit) => {
      const [path = ''] = fieldPaths(type, BitSet.of(bit));
      return [path, /\b(secondsPastEpoch|nanoseconds)$/.test(path) ? 'some time' : encodedLeaf(type, bit, value)];
    }),
  );
}
