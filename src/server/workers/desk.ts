// What does the server do for one of its workers? It opens channels, tells of their changes, and carries out what clients
// of the worker ask for.

import type { CallRequest, Channel, ChannelRequest, PutRequest } from '../../channels/channel.ts';
import type { Peer } from '../../channels/peer.ts';
import { nativePromise } from '../../channels/promise-like.ts';
import { requireStructure } from '../../channels/standard-fields.ts';
import { LimitError, PvaError, reasonOf, RemoteProtocolError } from '../../protocol/errors.ts';
import { decodeAny, decodeUpdate, encodeAny } from '../../protocol/messages/data.ts';
import type { Reader } from '../../protocol/reader.ts';
import type { AnyValue } from '../../protocol/types/value-of.ts';
import { encodeType, type TypeReceiver } from '../../protocol/types/wire.ts';
import type { TcpConnection } from '../../transport/network.ts';
import type { VitalSigns } from '../../transport/vitals.ts';
import type { LinkHost } from '../link-host.ts';
import type { ServerNotice } from '../notices.ts';
import { requireAny } from '../operations/rpc.ts';
import type { PutLogEntry } from '../put-log.ts';
import { ExportedChannel } from './exported-channel.ts';
import {
  decodeCounters,
  decodePeer,
  encodeNames,
  OPENED,
  TELL_LEVELS,
  TO_SERVER,
  TO_WORKER,
  type WorkerCounters,
  type WorkerRules,
  type WorkerSetup,
} from './messages.ts';
import { Outbox } from './outbox.ts';
import { Pipe } from './pipe.ts';

export interface DeskOptions {
  readonly host: LinkHost;
  readonly connection: TcpConnection;
  readonly ready: () => void;
  readonly counted: (counters: WorkerCounters) => void;
  /** A connection that the worker was handed is gone; the address of its client. */
  readonly gone: (address: string) => void;
  /** The worker is through with what `drain` asked. */
  readonly drained: () => void;
  /** How it is, and whether it takes no connections because of its memory. */
  readonly lives: (vitals: VitalSigns, isPaused: boolean) => void;
  /** Called once, when the worker can be reached no more. */
  readonly closed: (fault: string | undefined) => void;
}

/** A request of a client as far as it is the same for all that are carried out. */
type Known = Pick<ChannelRequest, 'peer' | 'pvRequest'>;
type Handler = (body: Reader, types: TypeReceiver) => void;

/** Names in one message. */
const NAMES_IN_PIECE = 1_000;

export class WorkerDesk {
  readonly #options: DeskOptions;
  readonly #pipe: Pipe;
  readonly #outbox: Outbox;
  readonly #byId = new Map<number, ExportedChannel>();
  readonly #byChannel = new Map<Channel, ExportedChannel>();
  /** What is being carried out, by the worker's number. */
  readonly #underWay = new Map<number, AbortController>();
  readonly #handlers: ReadonlyMap<number, Handler> = new Map<number, Handler>([
    [TO_SERVER.ready, () => this.#options.ready()],
    [TO_SERVER.open, (body) => this.#open(body.u32(), body.string(), decodePeer(body))],
    [TO_SERVER.release, (body) => this.#release(body.u32(), body.u32())],
    [TO_SERVER.put, (body, types) => this.#put(body, types)],
    [TO_SERVER.call, (body, types) => this.#call(body, types)],
    [TO_SERVER.process, (body, types) => this.#process(body, types)],
    [TO_SERVER.abort, (body) => this.#abort(body.u32(), body.string(), body.string())],
    [TO_SERVER.counters, (body) => this.#options.counted(decodeCounters(body))],
    [TO_SERVER.gone, (body) => this.#options.gone(body.string())],
    [TO_SERVER.drained, () => this.#options.drained()],
    [TO_SERVER.vitals, (body) => this.#lives(body)],
    [TO_SERVER.notice, (body) => this.#notice(body.string())],
    [TO_SERVER.putLog, (body) => this.#log(body.string())],
  ]);
  #nextId = 1;

  constructor(options: DeskOptions) {
    this.#options = options;
    const { connection, host } = options;
    this.#pipe = new Pipe({
      connection,
      clock: host.clock,
      limits: host.limits,
      isServer: true,
      receive: (command, body, types) => this.#receive(command, body, types),
      room: () => this.#outbox.resume(),
      closed: (fault) => this.#closed(fault),
    });
    this.#outbox = new Outbox(this.#pipe);
  }

  setUp(setup: WorkerSetup, names: readonly string[]): void {
    this.#pipe.send(TO_WORKER.setup, (writer) => writer.string(JSON.stringify(setup)));
    this.tellNames(names, []);
  }

  /** In pieces: a server may have more names than one message takes. */
  tellNames(added: readonly string[], removed: readonly string[]): void {
    for (const names of piecesOf(added)) this.#sendNames(names, []);
    for (const names of piecesOf(removed)) this.#sendNames([], names);
  }

  #sendNames(added: readonly string[], removed: readonly string[]): void {
    this.#pipe.send(TO_WORKER.names, (writer) => {
      encodeNames(writer, added);
      encodeNames(writer, removed);
    });
  }

  setRules(rules: WorkerRules): void {
    this.#pipe.send(TO_WORKER.access, (writer) => writer.string(JSON.stringify(rules)));
  }

  /** The server has no more what it had under this name. */
  endChannelsNamed(pvName: string): void {
    this.#pipe.send(TO_WORKER.endName, (writer) => writer.string(pvName));
  }

  /** Has the worker finish what is under way on its links, and end each that is through. */
  drain(ms: number): void {
    this.#pipe.send(TO_WORKER.drain, (writer) => writer.f64(ms));
  }

  /** Has the worker end its links in good order, and then itself. */
  close(): void {
    this.#pipe.send(TO_WORKER.close, () => undefined);
  }

  #receive(command: number, body: Reader, types: TypeReceiver): void {
    const handler = this.#handlers.get(command);
    if (handler === undefined) throw new RemoteProtocolError(`message ${command} of a worker, which is none`);
    handler(body, types);
  }

  #closed(fault: string | undefined): void {
    for (const controller of this.#underWay.values()) controller.abort();
    this.#underWay.clear();
    for (const exported of this.#byId.values()) exported.end();
    this.#options.closed(fault);
  }

  // --- channels ------------------------------------------------------------------------------------------------

  #open(request: number, pvName: string, peer: Peer): void {
    const refuse = (thrown: unknown): void => this.#sendOpened(request, OPENED.refused, reasonOf(thrown));
    try {
      const opened = this.#options.host.directory.open(pvName, peer);
      if (opened instanceof Promise) opened.then((channel) => this.#answerOpen(request, channel)).catch(refuse);
      else this.#answerOpen(request, opened);
    } catch (thrown) {
      refuse(thrown);
    }
  }

  #answerOpen(request: number, channel: Channel | undefined): void {
    if (channel === undefined || channel.isClosed) return this.#sendOpened(request, OPENED.none);
    const known = this.#byChannel.get(channel);
    const exported = known ?? this.#export(channel);
    exported.grantCount++;
    if (known !== undefined) return this.#sendOpened(request, OPENED.known, exported.id);
    this.#outbox.inTurn(() => {
      // Its turn may come late.
      if (exported.isOver) return this.#sendOpened(request, OPENED.none);
      try {
        exported.sendFresh(request);
      } catch (thrown) {
        exported.end();
        this.#sendOpened(request, OPENED.refused, reasonOf(thrown));
      }
    });
  }

  #export(channel: Channel): ExportedChannel {
    const { clock } = this.#options.host;
    const exported = new ExportedChannel({
      id: this.#nextId++,
      channel,
      outbox: this.#outbox,
      clock,
      ended: ({ id }) => {
        this.#byId.delete(id);
        this.#byChannel.delete(channel);
      },
    });
    this.#byId.set(exported.id, exported);
    this.#byChannel.set(channel, exported);
    return exported;
  }

  /** `said` is the id of the channel, or the reason why there is none. */
  #sendOpened(request: number, outcome: number, said?: number | string): void {
    this.#outbox.inTurn(() =>
      this.#pipe.send(TO_WORKER.opened, (writer) => {
        writer.u32(request);
        writer.u8(outcome);
        if (typeof said === 'number') writer.u32(said);
        if (typeof said === 'string') writer.string(said);
      }),
    );
  }

  /** Unless the worker has been told in the meantime that it may go on with it. */
  #release(id: number, grantCount: number): void {
    const exported = this.#byId.get(id);
    if (exported?.grantCount !== grantCount) return;
    exported.end();
    this.#outbox.inTurn(() => this.#pipe.send(TO_WORKER.released, (writer) => writer.u32(id)));
  }

  // --- requests ------------------------------------------------------------------------------------------------

  /**
   * Reads a request and carries it out; `actOf` reads the rest of it. What is past a limit is refused: its size is the
   * client's, and not a fault of the worker.
   */
  #take(
    body: Reader,
    types: TypeReceiver,
    actOf: (channel: Channel) => (request: ChannelRequest) => unknown,
    resultOf: (given: unknown) => AnyValue,
  ): void {
    const request = body.u32();
    const channel = this.#byId.get(body.u32())?.channel;
    if (channel === undefined) return this.#sendRefused(request, 'this PV has ended');
    let known: Known;
    let act: (request: ChannelRequest) => unknown;
    try {
      known = { peer: decodePeer(body), pvRequest: decodeAny(body, types) };
      act = actOf(channel);
    } catch (thrown) {
      if (!(thrown instanceof LimitError)) throw thrown;
      return this.#sendRefused(request, reasonOf(thrown));
    }
    this.#carryOut(request, known, act, resultOf);
  }

  #put(body: Reader, types: TypeReceiver): void {
    const actOf = (channel: Channel) => {
      const update = decodeUpdate(body, channel.type, types, channel.state.value);
      const put = { changed: update.changed, value: requireStructure(update.value) };
      return (about: ChannelRequest): unknown => channel.put({ ...about, ...put } satisfies PutRequest);
    };
    this.#take(body, types, actOf, nothing);
  }

  #call(body: Reader, types: TypeReceiver): void {
    const actOf = (channel: Channel) => {
      const argument = decodeAny(body, types);
      return (about: ChannelRequest): unknown => channel.call({ ...about, argument } satisfies CallRequest);
    };
    this.#take(body, types, actOf, requireAny);
  }

  #process(body: Reader, types: TypeReceiver): void {
    this.#take(
      body,
      types,
      (channel) =>
        (about): unknown =>
          channel.process?.(about),
      nothing,
    );
  }

  /** `resultOf` makes what the worker is told of what `act` gives, or throws. */
  #carryOut(
    request: number,
    known: Known,
    act: (request: ChannelRequest) => unknown,
    resultOf: (given: unknown) => AnyValue,
  ): void {
    const controller = new AbortController();
    this.#underWay.set(request, controller);
    const tell: ChannelRequest['tell'] = (text, level = 'info') => this.#tell(request, text, level);
    const finish = (given: unknown): void => this.#finish(request, controller, given, resultOf);
    const refuse = (thrown: unknown): void => this.#refuse(request, controller, thrown);
    try {
      const result = nativePromise(act({ ...known, signal: controller.signal, tell }));
      if (result instanceof Promise) result.then(finish).catch(refuse);
      else finish(result);
    } catch (thrown) {
      refuse(thrown);
    }
  }

  #finish(request: number, controller: AbortController, given: unknown, resultOf: (given: unknown) => AnyValue): void {
    if (this.#underWay.get(request) !== controller) return;
    const result = resultOf(given);
    this.#outbox.inTurn(() => {
      try {
        this.#pipe.send(TO_WORKER.done, (writer) => {
          writer.u32(request);
          encodeAny(writer, result, encodeType);
        });
        this.#underWay.delete(request);
      } catch (thrown) {
        // What does not fit the type it names: nothing of it was sent.
        this.#refuse(request, controller, misfit(thrown));
      }
    });
  }

  #refuse(request: number, controller: AbortController, thrown: unknown): void {
    if (this.#underWay.get(request) !== controller) return;
    this.#underWay.delete(request);
    this.#sendRefused(request, reasonOf(thrown));
  }

  #abort(request: number, code: string, text: string): void {
    // Without a code nobody gave a reason: a signal has one of its own then.
    const reason = code === '' ? undefined : new PvaError(code, text);
    this.#underWay.get(request)?.abort(reason);
    this.#underWay.delete(request);
  }

  #sendRefused(request: number, reason: string): void {
    this.#outbox.inTurn(() =>
      this.#pipe.send(TO_WORKER.refused, (writer) => {
        writer.u32(request);
        writer.string(reason);
      }),
    );
  }

  #tell(request: number, text: string, level: NonNullable<Parameters<ChannelRequest['tell']>[1]>): void {
    if (!this.#underWay.has(request)) return;
    this.#pipe.send(TO_WORKER.tell, (writer) => {
      writer.u32(request);
      writer.u8(TELL_LEVELS.indexOf(level));
      writer.string(text);
    });
  }

  #lives(body: Reader): void {
    const vitals = { memoryBytes: body.f64(), loopDelayMs: body.f64() };
    this.#options.lives(vitals, body.boolean());
  }

  // --- what happens there --------------------------------------------------------------------------------------

  #notice(text: string): void {
    const notice: unknown = JSON.parse(text);
    if (!hasTexts(notice, 'kind', 'level', 'text')) throw new RemoteProtocolError('a notice of a worker that is none');
    // The worker published it: it is the same program.
    this.#options.host.notices.publish(notice as unknown as ServerNotice);
  }

  #log(text: string): void {
    const entry: unknown = JSON.parse(text);
    if (!hasTexts(entry, 'time', 'operation', 'outcome', 'channel')) {
      throw new RemoteProtocolError('an entry for the put log of a worker that is none');
    }
    // Made by the put log of the same program.
    this.#options.host.putLog?.pass(entry as unknown as PutLogEntry);
  }
}

function* piecesOf(names: readonly string[]): Generator<readonly string[]> {
  for (let start = 0; start < names.length; start += NAMES_IN_PIECE) yield names.slice(start, start + NAMES_IN_PIECE);
}

/** A result that does not fit its type, in the words of a server without workers. */
function misfit(thrown: unknown): Error {
  const path = thrown instanceof PvaError && thrown.fieldPath !== '' ? `, field ${thrown.fieldPath}` : '';
  return new PvaError('MISFIT', `RPC${path}: ${reasonOf(thrown)}`);
}

/** PUT and PROCESS have no result. */
function nothing(): AnyValue {
  return null;
}

function hasTexts(value: unknown, ...names: readonly string[]): value is Readonly<Record<string, unknown>> {
  // Reading fields of any object gives those fields.
  const fields = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  return names.every((name) => typeof fields[name] === 'string');
}
