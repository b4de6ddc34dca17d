// How long does a server take to answer over TCP? ECHO, again and again, on a connection of its own.

import { DisconnectedError } from '../protocol/errors.ts';
import type { Endpoint } from '../transport/network.ts';
import type { Call, CallOptions } from './call.ts';
import { Connection, type ConnectionSettings } from './connection.ts';

/** How many echoes, how large and how often. */
export interface EchoOptions extends CallOptions {
  /** Echoes to send; default: until the loop is left. */
  readonly count?: number | undefined;
  /** Bytes that go there and back; default 0. */
  readonly sizeBytes?: number | undefined;
  /** Milliseconds from one echo to the next; default 1000. */
  readonly intervalMs?: number | undefined;
}

/** One round trip over TCP. Spec: Protocol-Messages, "CMD_ECHO". */
export interface EchoReply {
  /** From 0. */
  readonly sequence: number;
  /** `host:port` */
  readonly server: string;
  /** Bytes that came back. */
  readonly sizeBytes: number;
  /** Whether what came back is what was sent. */
  readonly isIntact: boolean;
  readonly roundTripMs: number;
}

const DEFAULT_INTERVAL_MS = 1_000;

/** `timeoutMs` is the time each reply may take. */
export async function* echo(
  call: Call,
  server: Endpoint,
  settings: ConnectionSettings,
  { count = Number.POSITIVE_INFINITY, sizeBytes = 0, intervalMs = DEFAULT_INTERVAL_MS }: EchoOptions,
  timeoutMs: number,
): AsyncGenerator<EchoReply, void, void> {
  const { clock } = settings;
  const link = new EchoLink(server, settings);
  const { connection } = link;
  const closed = new DisconnectedError(`connection to ${connection.serverText} closed`);
  try {
    let unlimit = call.limit(timeoutMs);
    call.waitingFor = () => `${connection.serverText} does not let us in (${connection.state})`;
    await call.until(link.validated());
    unlimit();
    for (let sequence = 0; sequence < count; sequence++) {
      const payload = patternOf(sequence, sizeBytes);
      const sentAt = clock.now();
      unlimit = call.limit(timeoutMs);
      call.waitingFor = () => `no reply to ECHO ${sequence}`;
      connection.send({ command: 'ECHO', payload });
      const returned = await call.until(link.nextReply());
      unlimit();
      const isIntact = returned.length === payload.length && returned.every((byte, at) => byte === payload[at]);
      const roundTripMs = clock.now() - sentAt;
      yield { sequence, server: connection.serverText, sizeBytes: returned.length, isIntact, roundTripMs };
      const restMs = intervalMs - (clock.now() - sentAt);
      if (restMs > 0 && sequence + 1 < count) await pause(call, clock, restMs);
    }
  } finally {
    connection.close(closed);
  }
}

function pause(call: Call, clock: ConnectionSettings['clock'], ms: number): Promise<void> {
  return call.wait((resolve) => {
    const timer = clock.after(ms, () => resolve());
    return () => timer.cancel();
  });
}

/** A connection on which each echo is sent after the reply to the one before. */
class EchoLink {
  readonly connection: Connection;
  readonly #validated: Promise<void>;
  /** What came without being asked for; only the newest is of interest. */
  #early: Uint8Array | undefined;
  #waiting: { readonly resolve: (payload: Uint8Array) => void; readonly reject: (reason: unknown) => void } | undefined;
  #lost: DisconnectedError | undefined;

  constructor(server: Endpoint, settings: ConnectionSettings) {
    let admit: () => void = ignore;
    let refuse: (reason: unknown) => void = ignore;
    this.#validated = new Promise((resolve, reject) => {
      admit = resolve;
      refuse = reject;
    });
    // It is lost for whoever waits; nobody may be waiting.
    this.#validated.catch(ignore);
    this.connection = new Connection(
      server,
      { ...settings, keepsAlive: false },
      {
        validated: admit,
        message: (message) => message.command === 'ECHO' && this.#reply(new Uint8Array(message.payload)),
        typeOf: ignore,
        warning: ignore,
        closed: (reason) => {
          this.#lost = reason;
          refuse(reason);
          this.#waiting?.reject(reason);
        },
      },
    );
    this.connection.open();
  }

  validated(): Promise<void> {
    return this.#validated;
  }

  /** What comes back next; rejects when the connection is lost. */
  nextReply(): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const early = this.#early;
      this.#early = undefined;
      if (early !== undefined) resolve(early);
      else if (this.#lost === undefined) this.#waiting = { resolve, reject };
      else reject(this.#lost);
    });
  }

  #reply(payload: Uint8Array): void {
    if (this.#waiting === undefined) this.#early = payload;
    else this.#waiting.resolve(payload);
    this.#waiting = undefined;
  }
}

function ignore(): undefined {
  return undefined;
}

/** Bytes that differ from echo to echo, so that a mixed-up reply shows. */
function patternOf(sequence: number, sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, index) => (sequence + index) & 0xff);
}
