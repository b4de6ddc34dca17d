// What can a program do as a pvAccess client? One context: it finds servers, keeps the connections, and calls go through it.

import { resolveClientConfig, type ClientSettings } from '../config/effective.ts';
import { msgpack } from '../protocol/codecs/msgpack.ts';
import { pva } from '../protocol/codecs/pva.ts';
import { DisconnectedError, LimitError, LocalProtocolError } from '../protocol/errors.ts';
import { CLIENT_LIMITS, DEFAULT_LIMITS, type Limits } from '../protocol/limits.ts';
import { parsePvRequest, type PvRequest } from '../protocol/pv-request.ts';
import { recordOptions } from '../protocol/pv-request/record-options.ts';
import { requireSegmentBytes } from '../protocol/segments.ts';
import { textBytes } from '../protocol/text.ts';
import type { ScalarArrayType, StructureType } from '../protocol/types/type-desc.ts';
import type { AnyValue, ValueOf } from '../protocol/types/value-of.ts';
import { systemClock, type Clock } from '../transport/clocks.ts';
import { nodeNetwork } from '../transport/node-network.ts';
import type { Endpoint, Network } from '../transport/network.ts';
import { ArrayAccess } from './array-access.ts';
import { Call, DEFAULT_TIMEOUT_MS, requireTimeout, type CallOptions } from './call.ts';
import type { Channel } from './channel.ts';
import { Channels } from './channels.ts';
import type { ConnectionSettings } from './connection.ts';
import type { ContextOptions } from './context-options.ts';
import { Discovery } from './discovery.ts';
import { echo, type EchoOptions, type EchoReply } from './echo.ts';
import { requireExpected } from './expected-type.ts';
import { resolveServer } from './host-names.ts';
import { completeIdentity, systemIdentity } from './identity.ts';
import { Monitor, type MonitorEvent, type MonitorOptions, type MonitorUpdate } from './monitor.ts';
import { monitorRequest } from './monitor-request.ts';
import { NoticeBoard, type ClientNotice } from './notices.ts';
import { outcomesOf, type Outcome } from './outcomes.ts';
import { get, type Reading } from './operations/get.ts';
import { getField, type ChannelInfo } from './operations/get-field.ts';
import type { ArrayType } from './operations/array.ts';
import { processChannel } from './operations/process.ts';
import { putGet } from './operations/put-get.ts';
import { put } from './operations/put.ts';
import { rpc } from './operations/rpc.ts';
import type {
  ArrayOptions,
  ChannelOptions,
  GetOptions,
  InfoOptions,
  ProcessOptions,
  PutGetOptions,
  PutOptions,
  RpcOptions,
} from './options.ts';
import { planPut, type PutFunction } from './put-plan.ts';
import { probe, type ProbeReply } from './probe.ts';
import { rpcArgument, type RpcArguments } from './rpc-argument.ts';
import { Search } from './search.ts';
import { ServerWatch } from './server-watch.ts';
import { Servers } from './servers.ts';

/**
 * A pvAccess client. It keeps one connection for each server and one channel for each PV in use, from the first call
 * that needs them until `close()`. Spec: Protocol-Prose.
 */
export class Context {
  readonly config: ClientSettings;
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #notices = new NoticeBoard();
  readonly #servers: Servers;
  readonly #settings: ConnectionSettings;
  readonly #random: () => number;
  readonly #defaultPort: number | undefined;
  readonly #watch: ServerWatch;
  readonly #search: Search;
  readonly #channels: Channels;
  readonly #calls = new Set<Call>();
  /** Those that were parsed, by their text. */
  readonly #requests = new Map<string, PvRequest>();
  #isClosed = false;

  constructor(options: ContextOptions = {}) {
    this.config = options.config ?? resolveClientConfig({ processEnvironment: process.env });
    this.#network = options.network ?? nodeNetwork;
    this.#clock = options.clock ?? systemClock;
    this.#limits = options.limits ?? DEFAULT_LIMITS;
    requireSegmentBytes(this.#limits.maxSegmentBytes);
    const codec = options.codec === 'msgpack' ? msgpack : pva;
    // There is no port that speaks MessagePack by convention.
    this.#defaultPort = codec === pva ? this.config.tcpPort : undefined;
    this.#random = options.random ?? Math.random;
    this.#settings = {
      network: this.#network,
      clock: this.#clock,
      identity: completeIdentity(options.identity ?? systemIdentity()),
      connectionTimeoutMs: this.config.connectionTimeoutMs,
      limits: this.#limits,
      codec,
    };
    this.#servers = new Servers(this.#settings, this.#notices, {
      searchResponse: (response, link) => this.#search.tcpResponse(response, link),
      validated: (link) => this.#search.validated(link),
    });
    const shared = { clock: this.#clock, servers: this.#servers, notices: this.#notices };
    this.#search = new Search(
      {
        ...shared,
        network: this.#network,
        protocol: codec.protocol,
        config: this.config,
        random: this.#random,
        waiting: () => this.#watch.open(),
        pong: ({ guid, protocol }, server, from, version) => this.#watch.seen(guid, server, protocol, from, version),
      },
      (cid) => this.#channels.byCid(cid),
    );
    this.#watch = new ServerWatch({
      network: this.#network,
      clock: this.#clock,
      notices: this.#notices,
      interfaces: this.config.interfaces,
      appeared: () => this.#search.hurry(),
      changed: () => this.#search.revolve(),
    });
    this.#channels = new Channels({ ...shared, seeker: this.#search });
  }

  /**
   * The value of a PV. With `type` the result is typed; fields that the server did not send have their defaults.
   * @throws TimeoutError saying what was waited for, StatusError when the server refuses
   */
  async get<T extends StructureType = StructureType>(pvName: string, options: GetOptions<T> = {}): Promise<ValueOf<T>> {
    const { value } = await this.getUpdate(pvName, options);
    // The border: getUpdate has made sure that the value has the fields of T.
    return value as unknown as ValueOf<T>;
  }

  /** As `get`, with the fields that the server sent, the channel's type and the server's address. */
  getUpdate(pvName: string, options: GetOptions = {}): Promise<Reading> {
    return this.#run(pvName, options, async (call, channel, pvRequest) => {
      const reading = await get(call, channel, pvRequest);
      requireExpected(pvName, reading.type, options.type);
      return reading;
    });
  }

  /**
   * Reads many PVs, 4 000 at once; each one's failure is its own, and so is its `timeoutMs`, from its turn on. The outcomes are
   * in the order of the names.
   */
  getMany(pvNames: readonly string[], options: GetOptions = {}): Promise<readonly Outcome<Reading>[]> {
    return outcomesOf(pvNames, async (pvName) => this.getUpdate(pvName, options));
  }

  /**
   * Writes a PV: a patch of its fields, for normative types also the bare value, a label or index for an enum, or a
   * function that makes one of these from the present value. Fields that are not named stay as they are.
   * @throws LocalProtocolError when the input does not fit the type: nothing is written then
   */
  put(pvName: string, make: PutFunction, options?: PutOptions): Promise<void>;
  put(pvName: string, input: unknown, options?: PutOptions): Promise<void>;
  put(pvName: string, input: unknown, options: PutOptions = {}): Promise<void> {
    return this.#run(pvName, options, (call, channel, pvRequest) =>
      put(call, channel, planPut(pvName, input, pvRequest, options.readFirst ?? false)),
    );
  }

  /** Writes many PVs, each with its own input as for `put`; otherwise as `getMany`. */
  putMany(inputs: Readonly<Record<string, unknown>>, options: PutOptions = {}): Promise<readonly Outcome<void>[]> {
    const given = { ...inputs };
    return outcomesOf(Object.keys(given), async (pvName) => this.put(pvName, given[pvName], options));
  }

  /**
   * Writes a PV as `put` does, has it process, and reads it, in one request. Servers made with pvxs have no PUT_GET.
   * @throws LocalProtocolError when the input does not fit, or what is read is not of `type`: nothing is written then
   */
  async putGet<T extends StructureType = StructureType>(
    pvName: string,
    input: unknown,
    options: PutGetOptions<T> = {},
  ): Promise<ValueOf<T>> {
    const { value } = await this.putGetUpdate(pvName, input, options);
    // The border: putGet has made sure that the value has the fields of T.
    return value as unknown as ValueOf<T>;
  }

  /** As `putGet`, with the fields that the server sent, the type of what was read and the server's address. */
  putGetUpdate(pvName: string, input: unknown, options: PutGetOptions = {}): Promise<Reading> {
    return this.#run(pvName, options, (call, channel, pvRequest) => {
      const plan = planPut(pvName, input, pvRequest, options.readFirst ?? false);
      return putGet(call, channel, plan, options.type);
    });
  }

  /** Has a PV do what it does when it is processed; resolves when that is done. Servers made with pvxs have no PROCESS. */
  process(pvName: string, options: ProcessOptions = {}): Promise<void> {
    return this.#run(pvName, options, processChannel);
  }

  /** An array of a PV, to read and write parts of it. Nothing is sent before its first use. Servers made with pvxs have no ARRAY. */
  array<T extends ArrayType = ScalarArrayType>(pvName: string, options: ArrayOptions<T> = {}): ArrayAccess<T> {
    this.#requireName(pvName);
    const { field = 'value', server, type } = options;
    const pvRequest = this.#pvRequest(`field(${field})`);
    return new ArrayAccess({
      pvName,
      pvRequest,
      expected: type,
      run: (callOptions, act) => this.#run(pvName, { ...callOptions, server }, act),
    });
  }

  /**
   * Calls a service. Arguments go as the query of an NTURI; `{ type, value }` goes as it is.
   * The result is null when the service gives none.
   */
  rpc(pvName: string, args: RpcArguments | AnyValue = {}, options: RpcOptions = {}): Promise<AnyValue> {
    return this.#run(pvName, options, (call, channel, pvRequest) =>
      rpc(call, channel, pvRequest, rpcArgument(pvName, args)),
    );
  }

  /** Type and server of a PV, without its value. */
  info(pvName: string, options: InfoOptions = {}): Promise<ChannelInfo> {
    return this.#run(pvName, options, (call, channel) => getField(call, channel, options.subField ?? ''));
  }

  /** Types and servers of many PVs, as `getMany`. */
  infoMany(pvNames: readonly string[], options: InfoOptions = {}): Promise<readonly Outcome<ChannelInfo>[]> {
    return outcomesOf(pvNames, async (pvName) => this.info(pvName, options));
  }

  /**
   * Watches a PV: every update with its full value and the fields that changed, across lost connections. Subscribes at
   * once. The server's side ends when the loop is left, when `signal` aborts, or with the context.
   * @throws LocalProtocolError at once when the request cannot be used
   */
  monitor<T extends StructureType = StructureType>(
    pvName: string,
    options: MonitorOptions<T> & { readonly events: true },
  ): Monitor<MonitorEvent<T>>;
  monitor<T extends StructureType = StructureType>(
    pvName: string,
    options?: MonitorOptions<T>,
  ): Monitor<MonitorUpdate<T>>;
  monitor(pvName: string, options: MonitorOptions = {}): Monitor<MonitorEvent> | Monitor {
    const { timeoutMs = Number.POSITIVE_INFINITY } = options;
    this.#requireName(pvName);
    requireTimeout(timeoutMs);
    const pvRequest = monitorRequest(this.#pvRequest(options.request), options, this.#limits);
    const { queueSize, pipeline, ackAny } = recordOptions(pvRequest, this.#limits);
    const call = this.#begin(pvName, options.signal);
    return new Monitor<MonitorEvent>({
      call,
      pvRequest,
      queueSize,
      acknowledgeAt: pipeline ? ackAny : undefined,
      expected: options.type,
      withEvents: options.events ?? false,
      unlimit: call.limit(timeoutMs),
      openChannel: () => this.#channel(call, options.server),
      ended: () => this.#end(call),
    });
  }

  /**
   * The servers in reach: those that answer a ping, and from then on those that come, go or restart. Ends by itself
   * after `timeoutMs` (default 5 s; `Infinity` for never).
   */
  discover({ signal, timeoutMs = DEFAULT_TIMEOUT_MS }: CallOptions = {}): Discovery {
    const call = this.#begin('discovery', signal);
    return new Discovery({
      call,
      clock: this.#clock,
      search: this.#search,
      watch: this.#watch,
      durationMs: timeoutMs,
      ended: () => this.#end(call),
    });
  }

  /**
   * Measures round trips over TCP, on a connection of its own to `host[:port]`. `timeoutMs` is what each may take.
   * Nothing is sent before the first `next()`.
   */
  async *echo(server: string, options: EchoOptions = {}): AsyncGenerator<EchoReply, void, void> {
    const call = this.#begin(server, options.signal);
    try {
      const endpoint = await call.until(resolveServer(server, this.#defaultPort, this.#network));
      yield* echo(call, endpoint, this.#settings, options, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    } finally {
      this.#end(call);
    }
  }

  /** Asks `host[:port]` by UDP whether a server is there; the port defaults to that of searches. */
  async probe(server: string, options: CallOptions = {}): Promise<ProbeReply> {
    const call = this.#begin(server, options.signal);
    try {
      call.limit(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
      const target = await call.until(resolveServer(server, this.config.udpPort, this.#network));
      return await probe(call, target, { network: this.#network, clock: this.#clock, random: this.#random });
    } finally {
      this.#end(call);
    }
  }

  /**
   * Calls `listener` with notices for people, until the returned function is called. What it throws changes nothing and
   * is noticed once.
   */
  onNotice(listener: (notice: ClientNotice) => void): () => void {
    return this.#notices.listen(listener);
  }

  /** Ends everything: calls under way reject, channels are destroyed, sockets closed. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const call of this.#calls) call.fail(new DisconnectedError(`${call.subject}: the context is closed`));
    this.#channels.close();
    this.#search.close();
    this.#watch.close();
    this.#servers.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // -------------------------------------------------------------------------------------------------------------

  async #run<R>(
    pvName: string,
    options: ChannelOptions,
    act: (call: Call, channel: Channel, pvRequest: PvRequest) => Promise<R>,
  ): Promise<R> {
    this.#requireName(pvName);
    const pvRequest = this.#pvRequest(options.request);
    const call = this.#begin(pvName, options.signal);
    let channel: Channel | undefined;
    try {
      call.limit(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
      channel = await this.#channel(call, options.server);
      return await act(call, channel, pvRequest);
    } finally {
      this.#end(call);
      channel?.release();
    }
  }

  #begin(subject: string, signal: AbortSignal | undefined): Call {
    if (this.#isClosed) throw new LocalProtocolError(`${subject}: the context is closed`);
    const call = new Call(this.#clock, subject);
    this.#calls.add(call);
    call.follow(signal);
    return call;
  }

  #end(call: Call): void {
    call.finish();
    this.#calls.delete(call);
  }

  /** The channel in use; who gets it releases it. */
  async #channel(call: Call, server: string | undefined): Promise<Channel> {
    call.throwIfEnded();
    let direct: Endpoint | undefined;
    if (server !== undefined) {
      call.waitingFor = () => `the name of ${server} is not resolved`;
      direct = await call.until(resolveServer(server, this.#defaultPort, this.#network));
      call.throwIfEnded();
    }
    return this.#channels.use(call.subject, direct);
  }

  #pvRequest(request: string | PvRequest = ''): PvRequest {
    if (typeof request !== 'string') return request;
    // One object for one text: what is asked again is known by it.
    const known = this.#requests.get(request);
    if (known !== undefined) return known;
    const parsed = parsePvRequest(request, this.#limits);
    if (this.#requests.size >= CLIENT_LIMITS.maxParsedRequests) this.#requests.clear();
    this.#requests.set(request, parsed);
    return parsed;
  }

  #requireName(pvName: string): void {
    if (pvName === '') throw new LocalProtocolError('a PV name is empty');
    const bytes = textBytes(pvName);
    if (bytes > this.#limits.maxNameBytes) {
      throw new LimitError('maxNameBytes', bytes, this.#limits.maxNameBytes, 'bytes of a PV name');
    }
  }
}
