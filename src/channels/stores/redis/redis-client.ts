// How does the redis store talk to Redis? The only file that names ioredis: one connection for commands, one for what is
// published, and both come back by themselves.
//
// Nothing is queued while a connection is away, and nothing is sent twice: what became of a command whose answer was
// lost is for those who sent it.

import { readFileSync } from 'node:fs';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { LocalProtocolError, reasonOf } from '../../../protocol/errors.ts';
import type { Clock, TimerHandle } from '../../../transport/clocks.ts';
import type { RedisUrl } from './redis-url.ts';
import type { RedisScript } from './scripts/redis-script.ts';

/** Replies come as they are in version 2 of the protocol, whichever is spoken. */
type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

export type RedisArgument = string | number | Uint8Array;

export interface RedisClientEvents {
  /** Both connections are there: everything that is published from now on is heard. */
  up(): void;
  /** One of them is gone, or an attempt to connect came to nothing. */
  down(reason: string): void;
  /** In the order in which Redis published. */
  message(bytes: Uint8Array): void;
}

const CONNECT_MS = 5_000;
/** A connection on which something was asked and nothing has come for so long is lost. */
const SILENCE_MS = 3_000;
const LONGEST_PAUSE_MS = 1_000;
/** How long whoever is disconnected from gets to end the connection, too. */
const DISCONNECT_MS = 100;
/** How often a Redis that loads its data is asked whether it has done so: its own guess of the time can be off by far. */
const LOADING_LOOK_MS = 250;
/** Keys that one step of SCAN looks at. */
const SCAN_COUNT = 1_000;

/** Said of a connection that had been in use, where nothing says more. */
const LOST = 'the connection was lost';
/** Said of a Redis that takes connections and not yet commands. */
const NOT_READY = 'it is there and not ready yet; it may be loading its data';

export class RedisClient {
  readonly #url: RedisUrl;
  readonly #topic: string;
  readonly #clock: Clock;
  readonly #events: RedisClientEvents;
  readonly #commands: Redis | Cluster;
  #subscriber: Redis | undefined;
  #pause: TimerHandle | undefined;
  #attempts = 0;
  #isReady = false;
  #isSubscribed = false;
  #isCorked = false;
  #isClosed = false;
  #reason = 'it does not answer';

  /** Begins to connect, and goes on until `close`. */
  constructor(url: RedisUrl, topic: string, events: RedisClientEvents, clock: Clock) {
    this.#url = url;
    this.#topic = topic;
    this.#events = events;
    this.#clock = clock;
    this.#commands = commandsOf(url);
    this.#follow(this.#commands);
    this.#subscribe();
  }

  get isCluster(): boolean {
    return this.#commands instanceof Cluster;
  }

  get isUp(): boolean {
    return this.#isReady && this.#isSubscribed;
  }

  /** Why a connection could not be made, or was lost, last. */
  get reason(): string {
    return this.#reason;
  }

  /** Sends a command; its texts come back as bytes. */
  call(command: string, ...args: readonly RedisArgument[]): Promise<unknown> {
    this.#cork();
    return this.#commands.callBuffer(command, ...args.map(sendable));
  }

  /** Runs a script on one key. */
  run(script: RedisScript, key: string, args: readonly RedisArgument[]): Promise<unknown> {
    return this.runOnKeys(script, [key], args);
  }

  /** Runs a script on several keys, in a cluster of one slot. Scripts that Redis has forgotten are sent again. */
  async runOnKeys(script: RedisScript, keys: readonly string[], args: readonly RedisArgument[]): Promise<unknown> {
    try {
      return await this.call('evalsha', script.sha, keys.length, ...keys, ...args);
    } catch (thrown) {
      if (!reasonOf(thrown).startsWith('NOSCRIPT')) throw thrown;
      return this.call('eval', script.lua, keys.length, ...keys, ...args);
    }
  }

  /** Every key that matches, in pages, on every master; some may come twice. */
  async *keys(pattern: string): AsyncGenerator<readonly string[]> {
    const masters = this.#commands instanceof Cluster ? this.#commands.nodes('master') : [this.#commands];
    for (const master of masters) {
      let cursor = '0';
      do {
        const [next, keys] = await master.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT);
        if (keys.length > 0) yield keys;
        cursor = next;
      } while (cursor !== '0');
    }
  }

  /** Resolves when both connections have answered. */
  async ping(): Promise<void> {
    await Promise.all([this.call('ping'), this.#subscriber?.ping()]);
  }

  /** Drops both connections and makes new ones; what is not there is being made already. */
  reconnect(reason: string): void {
    // Where an address is being asked for, ioredis would take this for the end.
    if (this.#commands.status === 'ready') this.#commands.disconnect(true);
    this.#subscriber?.disconnect();
    this.#isReady = false;
    this.#isSubscribed = false;
    this.#lost(reason);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#pause?.cancel();
    this.#subscriber?.disconnect();
    this.#commands.disconnect();
  }

  /** Commands of one turn of the event loop go out in one write. */
  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    const nodes = this.#commands instanceof Cluster ? this.#commands.nodes('master') : [this.#commands];
    const streams = nodes.filter(({ status }) => status === 'ready').map(({ stream }) => stream);
    for (const stream of streams) stream.cork();
    this.#clock.soon(() => {
      this.#isCorked = false;
      for (const stream of streams) stream.uncork();
    });
  }

  #follow(commands: Redis | Cluster): void {
    commands.on('error', (error: Error) => this.#lost(said(error)));
    commands.on('node error', (error: Error) => (this.#reason = said(error)));
    commands.on('connect', () => (this.#reason = NOT_READY));
    commands.on('ready', () => {
      this.#greetMasters()
        .catch((thrown: unknown) => (this.#reason = reasonOf(thrown)))
        .finally(() => {
          // The connection may have been lost meanwhile.
          this.#isReady = commands.status === 'ready';
          this.#tellUp();
        });
    });
    commands.on('close', () => {
      this.#isReady = false;
      this.#lost(this.#reason);
    });
  }

  /** The nodes of a cluster are connected to when they are needed, and refuse what comes before that is done. */
  async #greetMasters(): Promise<void> {
    if (!(this.#commands instanceof Cluster)) return;
    await Promise.all(this.#commands.nodes('master').map((master) => master.ping()));
  }

  /** A new connection each time: in a cluster any node will do, and the one before may be gone for good. */
  #subscribe(): void {
    if (this.#isClosed) return;
    const subscriber = new Redis(this.#subscriberOptions());
    this.#subscriber = subscriber;
    subscriber.on('error', (error: Error) => this.#lost(said(error)));
    subscriber.on('messageBuffer', (_topic: Uint8Array, bytes: Uint8Array) => this.#events.message(bytes));
    subscriber.on('ready', () => {
      this.#listen(subscriber).catch((thrown: unknown) => {
        this.#lost(reasonOf(thrown));
        subscriber.disconnect();
      });
    });
    subscriber.on('end', () => {
      this.#isSubscribed = false;
      this.#lost(this.#reason);
      if (!this.#isClosed) this.#pause = this.#clock.after(pauseMs(++this.#attempts), () => this.#subscribe());
    });
  }

  async #listen(subscriber: Redis): Promise<void> {
    await subscriber.subscribe(this.#topic);
    this.#attempts = 0;
    this.#isSubscribed = true;
    this.#tellUp();
  }

  #subscriberOptions(): ClientOptions {
    if (!(this.#commands instanceof Cluster)) return optionsOf(this.#url, () => null);
    const nodes = this.#commands.nodes('master');
    const known = nodes[Math.floor(Math.random() * nodes.length)]?.options;
    const { host, port } = { ...this.#url.addresses[0], ...known };
    return { ...commonOptions(this.#url), host, port, retryStrategy: () => null };
  }

  #tellUp(): void {
    if (!this.isUp || this.#isClosed) return;
    this.#reason = LOST;
    this.#events.up();
  }

  #lost(reason: string): void {
    this.#reason = reason;
    if (!this.isUp && !this.#isClosed) this.#events.down(reason);
  }
}

function commandsOf(url: RedisUrl): Redis | Cluster {
  if (url.mode !== 'cluster') return new Redis(optionsOf(url, pauseMs));
  return new Cluster([...url.addresses], {
    enableOfflineQueue: false,
    clusterRetryStrategy: pauseMs,
    // It would send again what may have been carried out.
    retryDelayOnFailover: 0,
    redisOptions: commonOptions(url),
  });
}

function optionsOf(url: RedisUrl, retryStrategy: (attempts: number) => number | null): ClientOptions {
  const common = { ...commonOptions(url), retryStrategy };
  if (url.mode !== 'sentinel') return { ...common, ...url.addresses[0] };
  return {
    ...common,
    sentinels: url.addresses.map((address) => ({ ...address })),
    name: url.masterName,
    sentinelRetryStrategy: pauseMs,
    sentinelCommandTimeout: SILENCE_MS,
    ...(url.tls !== undefined && { enableTLSForSentinelMode: true, sentinelTLS: tlsOf(url.tls) }),
  };
}

function commonOptions({ username, password, db, tls }: RedisUrl) {
  return {
    db,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { tls: tlsOf(tls) }),
    connectionName: 'pvkit',
    connectTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    disconnectTimeout: DISCONNECT_MS,
    maxLoadingRetryTime: LOADING_LOOK_MS,
    enableOfflineQueue: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    // Commands whose answer is lost are told so at once.
    maxRetriesPerRequest: 0,
    // After a failover the old master may still be there, and takes no writes.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  } satisfies ClientOptions;
}

/** @throws LocalProtocolError when a file cannot be read */
function tlsOf(files: NonNullable<RedisUrl['tls']>): NonNullable<ClientOptions['tls']> {
  return Object.fromEntries(Object.entries(files).map(([option, file]) => [option, pemIn(option, file)]));
}

function pemIn(option: string, file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (thrown) {
    throw new LocalProtocolError(`the file of '${option}' in the URL of the store: ${reasonOf(thrown)}`);
  }
}

/** What an error of ioredis says, in our words where they are clearer. */
function said({ message }: Error): string {
  return message.startsWith('Socket timeout') ? `it has not answered for ${SILENCE_MS / 1_000} s` : message;
}

function pauseMs(attempts: number): number {
  return Math.min(LONGEST_PAUSE_MS, 25 * 2 ** Math.min(attempts, 6));
}

function sendable(argument: RedisArgument): string | number | Buffer {
  if (!(argument instanceof Uint8Array)) return argument;
  return Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength);
}
