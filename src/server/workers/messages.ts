// What do a server and its workers say to each other? The commands, and the parts that several of them share.
//
// Both ends are the same version of the same program, so nothing here is negotiated. Bodies are little endian; types go
// in full. `request` is a number of the worker's that comes back with the answer, `channel` one of the server's.

import { RemoteProtocolError } from '../../protocol/errors.ts';
import type { Reader } from '../../protocol/reader.ts';
import type { Writer } from '../../protocol/writer.ts';
import type { TellLevel } from '../../channels/channel.ts';
import type { Peer } from '../../channels/peer.ts';
import type { AllowWord } from '../../channels/access/rights.ts';
import type { AccessRule } from '../../channels/access/rule.ts';
import type { Limits } from '../../protocol/limits.ts';
import type { ServerCounters } from '../notices.ts';

/** From the server to a worker. */
export const TO_WORKER = {
  /** `WorkerSetup` as JSON; the first message. */
  setup: 1,
  /** `WorkerRules` as JSON. */
  access: 2,
  /** Names that came, names that went. */
  names: 3,
  /** request, one of `OPENED`, and what it says. */
  opened: 4,
  /** channel, whether clients are told, BitSet and data, overrun BitSet. */
  update: 5,
  /** channel, Status: subscriptions end. */
  finish: 6,
  /** channel: it ceased to exist. */
  closed: 7,
  /** channel: the worker's copy of it ends, as it asked. */
  released: 8,
  /** request, a result: type and value. */
  done: 9,
  /** request, a sentence: it was refused. */
  refused: 10,
  /** request, level, a sentence for the client. */
  tell: 11,
  /** PV name: channels to it end. */
  endName: 12,
  /** End all links in good order, and then yourself. */
  close: 13,
  /** milliseconds: take nothing new, finish what is under way, and end each link that is through. */
  drain: 14,
} as const;

/** From a worker to the server. */
export const TO_SERVER = {
  /** It takes connections from now on. */
  ready: 1,
  /** request, PV name, peer. */
  open: 2,
  /** channel, how often it was opened here: nobody has it open any more. */
  release: 3,
  /** request, channel, peer, pvRequest, BitSet and data. */
  put: 4,
  /** request, channel, peer, pvRequest, argument. */
  call: 5,
  /** request, channel, peer, pvRequest. */
  process: 6,
  /** request, code and text of the reason: nobody waits for its answer any more. */
  abort: 7,
  /** Counters, in the order of `COUNTER_NAMES`. */
  counters: 8,
  /** `ServerNotice` as JSON. */
  notice: 9,
  /** `PutLogEntry` as JSON. */
  putLog: 10,
  /** address: a connection that was handed over is gone. */
  gone: 11,
  /** It has done what `drain` asked. */
  drained: 12,
  /** Bytes of memory, milliseconds of delay, whether it takes no connections now: how it is, about once a second. */
  vitals: 13,
} as const;

/** What became of a name that was to be opened. */
export const OPENED = {
  /** There is none. */
  none: 0,
  /** A sentence says why not. */
  refused: 1,
  /** channel: the worker has it already. */
  known: 2,
  /** channel, type, flags, deadlines, BitSet and data of the state. */
  fresh: 3,
} as const;

/** What a worker has to know before it takes connections. */
export interface WorkerSetup extends WorkerRules {
  readonly guid: string;
  readonly bigEndian: boolean;
  readonly connectionTimeoutMs: number;
  readonly limits: Limits;
  readonly logsPuts: boolean;
  /** Memory that it may take before it closes links; 0 for any. */
  readonly maxMemoryBytes: number;
}

/** Who may do what. */
export interface WorkerRules {
  readonly rules: readonly AccessRule[];
  readonly otherwise: readonly AllowWord[];
}

export const COUNTER_NAMES = [
  'linksOpened',
  'linksClosed',
  'linksRefused',
  'linksFaulted',
  'linksShed',
  'monitorsOpened',
  'monitorsClosed',
  'unknownCommands',
  'unknownIds',
  'updatesSquashed',
  'searchesAnswered',
] as const satisfies readonly (keyof ServerCounters)[];

/** Those of a server's counters that workers count. */
export type WorkerCounters = Record<(typeof COUNTER_NAMES)[number], number>;

export const TELL_LEVELS: readonly TellLevel[] = ['info', 'warning', 'error'];

const METHODS: readonly Peer['method'][] = ['anonymous', 'ca'];

export function encodePeer(writer: Writer, { user, host, address, port, method }: Peer): void {
  writer.u8(METHODS.indexOf(method));
  writer.string(user);
  writer.string(host);
  writer.string(address);
  writer.u16(port);
}

export function decodePeer(reader: Reader): Peer {
  const method = METHODS[reader.u8()];
  if (method === undefined) throw new RemoteProtocolError('a peer with an unknown way to say who it is');
  return { method, user: reader.string(), host: reader.string(), address: reader.string(), port: reader.u16() };
}

/** Milliseconds that may be left open. */
export function encodeDeadline(writer: Writer, ms: number | undefined): void {
  writer.f64(ms ?? Number.NaN);
}

export function decodeDeadline(reader: Reader): number | undefined {
  const ms = reader.f64();
  return Number.isNaN(ms) ? undefined : ms;
}

export function encodeNames(writer: Writer, names: readonly string[]): void {
  writer.size(names.length);
  for (const name of names) writer.string(name);
}

export function decodeNames(reader: Reader): readonly string[] {
  return Array.from({ length: reader.count(1) }, () => reader.string());
}

export function encodeCounters(writer: Writer, counters: WorkerCounters): void {
  for (const name of COUNTER_NAMES) writer.f64(counters[name]);
}

export function decodeCounters(reader: Reader): WorkerCounters {
  const counters = noCounters();
  for (const name of COUNTER_NAMES) counters[name] = reader.f64();
  return counters;
}

export function noCounters(): WorkerCounters {
  return {
    linksOpened: 0,
    linksClosed: 0,
    linksRefused: 0,
    linksFaulted: 0,
    linksShed: 0,
    monitorsOpened: 0,
    monitorsClosed: 0,
    unknownCommands: 0,
    unknownIds: 0,
    updatesSquashed: 0,
    searchesAnswered: 0,
  };
}
