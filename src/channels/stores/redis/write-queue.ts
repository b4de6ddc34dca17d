// What becomes of a write on its way to Redis? It is acknowledged once Redis has answered and watchers have been told;
// where the answer is lost, Redis is asked what became of it as soon as it is back.
//
//   sent ---- revision ----> answered ---- watchers told ----> resolved
//    |                          ^
//    '- connection lost -> lost '- settled: it took effect       (did not: STORE_AWAY, nothing was written)
//
// Redis refuses what comes after WRITE_MS by its own clock, and what was settled; so a caller that has been told that
// nothing was written can rely on it, whatever a network still holds back.

import { reasonOf } from '../../../protocol/errors.ts';
import { STORE_LIMITS } from '../../../protocol/limits.ts';
import type { Clock, TimerHandle } from '../../../transport/clocks.ts';
import type { ChannelUpdate } from '../../channel.ts';
import { noSuchChannel, StoreError, storeClosed } from '../store-error.ts';
import type { ActId } from './change-message.ts';
import type { HashedChannel } from './channel-hash.ts';
import type { RedisClient } from './redis-client.ts';
import type { RedisClock } from './redis-clock.ts';
import { away, isRefusal, isUnsent, refusalOf } from './redis-errors.ts';
import type { RedisKeys } from './redis-keys.ts';
import { countIn, partsIn, textIn } from './redis-reply.ts';
import type { Replicas } from './replicas.ts';
import { settleScript } from './scripts/write.ts';
import { WriteBatches, type OutgoingWrite } from './write-batches.ts';

/** Redis takes a write for so long after it was sent. */
const WRITE_MS = 1_500;
/** Whoever writes is answered by then: clients of a server wait for 5 s. */
const ANSWER_MS = 2_000;
/** The message of a write comes with its answer; past this it was lost. */
const TOLD_MS = 250;
const SWEEP_MS = 50;
const MAX_ATTEMPTS = 3;

interface Entry extends OutgoingWrite {
  readonly name: string;
  readonly sentAt: number;
  readonly resolve: (revision: number) => void;
  readonly reject: (error: Error) => void;
  number: number;
  tooLate: number;
  attempts: number;
  state: 'sent' | 'lost' | 'answered';
  answeredAt: number;
  revision: number;
}

export interface WriteQueueOptions {
  readonly client: RedisClient;
  readonly keys: RedisKeys;
  readonly replicas: Replicas;
  readonly redisClock: RedisClock;
  readonly clock: Clock;
  /** Of this store object alone, ever. */
  readonly writer: string;
  readonly warn: (text: string) => void;
  /** Asks Redis for its time. */
  readonly askTime: () => Promise<void>;
  /** Called when an answer has come. */
  readonly answered: (latencyMs: number) => void;
}

export class WriteQueue {
  readonly #options: WriteQueueOptions;
  readonly #clock: Clock;
  /** By number; in the order in which they were sent first. */
  readonly #entries = new Map<number, Entry>();
  /** Those that are answered and wait for their message, by channel. */
  readonly #untold = new Map<string, Entry[]>();
  readonly #batches: WriteBatches<Entry>;
  readonly #actPrefix: string;
  readonly #sweeping: TimerHandle;
  #askingTime: Promise<void> | undefined;
  #number = 0;

  constructor(options: WriteQueueOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#batches = new WriteBatches<Entry>({
      ...options,
      replied: (entry, reply) => this.#replied(entry, reply),
      failed: (entry, thrown) => this.#failed(entry, thrown),
    });
    this.#actPrefix = `${options.writer}:`;
    this.#sweeping = this.#clock.every(SWEEP_MS, () => this.sweep());
  }

  get length(): number {
    return this.#entries.size;
  }

  /** @throws StoreError at once where nothing can be sent */
  send(channel: HashedChannel, change: ChannelUpdate, signal: AbortSignal | undefined): Promise<number> {
    const { client, keys } = this.#options;
    if (!client.isUp) throw away(client.reason);
    if (this.#entries.size >= STORE_LIMITS.maxQueuedWrites)
      throw away(`${this.#entries.size} writes are waiting for it already`);
    return new Promise((resolve, reject) => {
      const { name, type } = channel.definition;
      const entry: Entry = {
        name,
        key: keys.channel(name),
        digest: channel.digest,
        type,
        change,
        number: 0,
        tooLate: 0,
        attempts: 0,
        state: 'sent',
        sentAt: this.#clock.now(),
        answeredAt: 0,
        revision: 0,
        ...(signal === undefined ? { resolve, reject } : this.#untilAborted(signal, () => entry, resolve, reject)),
      };
      this.#send(entry);
    });
  }

  /** Rejects as soon as nobody waits any more. */
  #untilAborted(
    signal: AbortSignal,
    entryOf: () => Entry,
    resolve: (revision: number) => void,
    reject: (error: Error) => void,
  ): Pick<Entry, 'resolve' | 'reject'> {
    const abort = (): void => {
      const entry = entryOf();
      this.#drop(entry);
      // It is on its way already.
      reject(uncertain(entry.name, 'it was given up'));
    };
    signal.addEventListener('abort', abort, { once: true });
    return {
      resolve(revision) {
        signal.removeEventListener('abort', abort);
        resolve(revision);
      },
      reject(error) {
        signal.removeEventListener('abort', abort);
        reject(error);
      },
    };
  }

  /** The change behind a message, if it is one of ours that is under way. */
  changeOf(act: ActId): ChannelUpdate | undefined {
    if (!act.startsWith(this.#actPrefix)) return undefined;
    return this.#entries.get(Number(act.slice(this.#actPrefix.length)))?.change;
  }

  /** Watchers have been told of a channel up to this revision. */
  told(name: string, revision: number): void {
    this.#letGo(name, revision);
  }

  /** Looks after those that wait for something; by itself every 50 ms. */
  sweep(): void {
    const now = this.#clock.now();
    const lost = new Map<string, Entry[]>();
    for (const entry of this.#entries.values()) {
      if (entry.state === 'answered') {
        // It did take effect; while the store is away, watchers hear of it later.
        if (now - entry.sentAt > ANSWER_MS) this.#resolve(entry);
        else if (now - entry.answeredAt > TOLD_MS) this.#report(this.#readAgain(entry, now));
      } else if (now - entry.sentAt > ANSWER_MS) {
        this.#reject(entry, uncertain(entry.name));
      } else if (entry.state === 'lost') {
        const others = lost.get(entry.name);
        if (others === undefined) lost.set(entry.name, [entry]);
        else others.push(entry);
      }
    }
    if (!this.#options.client.isUp) return;
    for (const [name, entries] of lost) this.#report(this.#settle(name, entries));
  }

  close(): void {
    this.#sweeping.cancel();
    for (const entry of this.#entries.values()) {
      if (entry.state === 'answered') this.#resolve(entry);
      else this.#reject(entry, uncertain(entry.name, storeClosed().message));
    }
  }

  /** Must not wait for anything: numbers are to arrive in order. */
  #send(entry: Entry): void {
    const now = this.#options.redisClock.now();
    this.#entries.delete(entry.number);
    // By the clock, so that Redis can tell how long ago it was.
    this.#number = Math.max(this.#number + 1, Math.floor(now * 1_000));
    entry.number = this.#number;
    entry.tooLate = now + WRITE_MS - (this.#clock.now() - entry.sentAt);
    entry.attempts++;
    this.#batches.add(entry);
    this.#entries.set(entry.number, entry);
  }

  #replied(entry: Entry, reply: unknown): void {
    if (!this.#entries.has(entry.number)) return;
    const revision = countIn(reply);
    const now = this.#clock.now();
    if (revision !== undefined) {
      this.#options.answered(now - entry.sentAt);
      return this.#tookEffect(entry, revision);
    }
    const { name } = entry;
    const said = textIn(reply);
    if (said === 'missing') return this.#isNotAsKnown(entry, noSuchChannel(name));
    if (said === 'definition') {
      const text = `channel '${name}' has been defined anew; nothing was written`;
      return this.#isNotAsKnown(entry, new StoreError('DEFINITION_CONFLICT', text));
    }
    if (said !== 'late') return this.#refused(entry, said);
    const refused = away(`it came to '${name}' too late, and nothing was written`);
    if (entry.attempts >= MAX_ATTEMPTS || now - entry.sentAt >= WRITE_MS) return this.#reject(entry, refused);
    // Another write of ours has overtaken it, where a script had to be sent again; or we are wrong about the clock of Redis.
    this.#askingTime ??= this.#options.askTime().finally(() => (this.#askingTime = undefined));
    this.#askingTime.then(
      () => this.#entries.has(entry.number) && this.#send(entry),
      () => this.#reject(entry, refused),
    );
  }

  #failed(entry: Entry, thrown: unknown): void {
    if (!this.#entries.has(entry.number)) return;
    if (isRefusal(thrown)) this.#refused(entry, reasonOf(thrown));
    else if (isUnsent(thrown)) this.#reject(entry, away(this.#options.client.reason));
    else entry.state = 'lost';
  }

  #refused(entry: Entry, text: string): void {
    const { client, keys } = this.#options;
    this.#report(refusalOf(text, client, keys.channel(entry.name)).then((error) => this.#reject(entry, error)));
  }

  /** The channel is gone or is another one, of which watchers hear first; or the store has lost its data. */
  #isNotAsKnown(entry: Entry, error: StoreError): void {
    const { client, replicas } = this.#options;
    const read = replicas.read(entry.name, true);
    this.#report(read.finally(() => this.#reject(entry, client.isUp ? error : away(client.reason))));
  }

  async #settle(name: string, entries: readonly Entry[]): Promise<void> {
    const { client, keys, writer } = this.#options;
    // So that the next sweep leaves them alone.
    for (const entry of entries) entry.state = 'sent';
    const latest = Math.max(...entries.map(({ number }) => number));
    try {
      const reply = partsIn(await client.run(settleScript, keys.channel(name), [writer, latest]));
      const [last = 0, revision = 0] = reply.map(countIn);
      for (const entry of entries.filter(({ number }) => this.#entries.has(number))) {
        if (entry.number === last) this.#tookEffect(entry, revision);
        // A later one of ours has taken effect, and does not tell of this one.
        else if (entry.number < last) this.#reject(entry, uncertain(name, 'the connection was lost'));
        else this.#reject(entry, away(`the connection was lost before '${name}' was written`));
      }
    } catch {
      for (const entry of entries) entry.state = 'lost';
    }
  }

  #tookEffect(entry: Entry, revision: number): void {
    entry.state = 'answered';
    entry.answeredAt = this.#clock.now();
    entry.revision = revision;
    const { replicas } = this.#options;
    const known = replicas.get(entry.name);
    // What is not read again yet may be of another time, in which the same revision was another write.
    const isTold = known === undefined || (known.revision >= revision && replicas.isFresh(entry.name));
    if (isTold) return this.#resolve(entry);
    const waiting = this.#untold.get(entry.name);
    if (waiting === undefined) this.#untold.set(entry.name, [entry]);
    else waiting.push(entry);
  }

  /** Its message should have come: the channel is read, or if that cannot be done now, later. */
  async #readAgain(entry: Entry, now: number): Promise<void> {
    entry.answeredAt = now;
    const { client, replicas } = this.#options;
    if (!client.isUp) return;
    await replicas.read(entry.name, true);
    // What was being read already may have been answered before this write was.
    if ((replicas.get(entry.name)?.revision ?? Infinity) < entry.revision) await replicas.read(entry.name, true);
    // A channel that is gone, or has gone back in time, tells nobody of this revision any more; of a later write it may.
    if (!replicas.isFresh(entry.name) && replicas.get(entry.name) !== undefined) return;
    this.#letGo(entry.name, -1, entry);
  }

  /** Acknowledges what waits for its message, up to a revision, and `one` of any. */
  #letGo(name: string, revision: number, one?: Entry): void {
    const waiting = this.#untold.get(name);
    if (waiting === undefined) return;
    const rest = waiting.filter((entry) => entry.revision > revision && entry !== one);
    if (rest.length > 0) this.#untold.set(name, rest);
    else this.#untold.delete(name);
    for (const entry of waiting) if (entry.revision <= revision || entry === one) this.#resolve(entry);
  }

  #resolve(entry: Entry): void {
    this.#entries.delete(entry.number);
    entry.resolve(entry.revision);
  }

  #reject(entry: Entry, error: Error): void {
    this.#drop(entry);
    entry.reject(error);
  }

  #report(promise: Promise<unknown>): void {
    promise.catch((thrown: unknown) => this.#options.warn(reasonOf(thrown)));
  }

  #drop(entry: Entry): void {
    this.#entries.delete(entry.number);
  }
}

function uncertain(name: string, why = `it has not answered for ${ANSWER_MS / 1_000} s`): StoreError {
  return new StoreError('STORE_UNCERTAIN', `whether '${name}' was written is not known: ${why}`);
}
