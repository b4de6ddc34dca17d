// What does a server say about itself while it runs? Notices for people, and counters for programs.
//
// Nothing is printed here: notices go to the diagnostics channel and to the listeners of the server.

import { NoticeListeners } from '../channels/notice-listeners.ts';
import type { Endpoint } from '../transport/network.ts';
import { endpointText } from '../transport/network-error.ts';

/** Name of the `node:diagnostics_channel` on which every server of the process publishes its `ServerNotice`s. */
export const SERVER_NOTICES = 'pvkit:server';

/** How much a notice matters; 'debug' is of interest only while a fault is looked for. */
export type NoticeLevel = 'debug' | 'info' | 'warning' | 'error';

interface NoticeBase {
  readonly level: NoticeLevel;
  /** A sentence for people. */
  readonly text: string;
}

/** Something that happened on one TCP connection. */
export interface LinkNotice extends NoticeBase {
  readonly kind: 'linkOpened' | 'linkClosed' | 'linkRefused' | 'linkWarning' | 'clientMessage' | 'accessRefused';
  readonly remote: Endpoint;
}

/** Something that concerns the whole server. */
export interface GeneralNotice extends NoticeBase {
  readonly kind:
    | 'listening'
    | 'portTaken'
    | 'sourceFailed'
    | 'udpFailed'
    | 'beaconFailed'
    /** So many connections were refused, or searches dropped, that they are not told one by one. */
    | 'linksRefused'
    | 'searchesDropped'
    /** The system lets this process have fewer connections than the limit says. */
    | 'fewDescriptors'
    /** The process takes more memory than it may. */
    | 'memory'
    /** The server ends, and finishes what is under way. */
    | 'draining'
    /** Rules that are hardly meant so, or that took the place of others. */
    | 'accessRules'
    | 'putLogFailed'
    /** A client created or destroyed a channel. */
    | 'channelCreated'
    | 'channelDestroyed'
    /** A worker process is ready, or ended. */
    | 'worker'
    /** A listener of notices threw; told once for each, and it is still called. */
    | 'listenerFailed'
    | 'closed';
}

/** Something that the operator of a server may want to know. */
export type ServerNotice = LinkNotice | GeneralNotice;

/** Totals since the server was made. */
export interface ServerCounters {
  linksOpened: number;
  linksClosed: number;
  /** Connections that were not taken, because too many were open or the server ends. */
  linksRefused: number;
  /** Links closed because their client broke the protocol. */
  linksFaulted: number;
  /** Links closed to free memory, those that held most of it. */
  linksShed: number;
  monitorsOpened: number;
  monitorsClosed: number;
  /** Messages of commands that are not known; skipped. */
  unknownCommands: number;
  /** Requests that named a channel or operation which is not there (any more); ignored. */
  unknownIds: number;
  /** Updates that were squashed into others because a client was slow. */
  updatesSquashed: number;
  datagramsReceived: number;
  /** Datagrams without anything for a server: malformed, from ignored senders, our own. */
  datagramsIgnored: number;
  searchesAnswered: number;
  searchesForwarded: number;
  /** Datagrams that were dropped unread, because their sender asks too much, or all together do. */
  searchesDropped: number;
  beaconsSent: number;
}

export function newCounters(): ServerCounters {
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
    datagramsReceived: 0,
    datagramsIgnored: 0,
    searchesAnswered: 0,
    searchesForwarded: 0,
    searchesDropped: 0,
    beaconsSent: 0,
  };
}

/** Where the parts of one server put their notices. */
export class NoticeBoard extends NoticeListeners<ServerNotice> {
  constructor() {
    super(SERVER_NOTICES, (text) => ({ kind: 'listenerFailed', level: 'error', text }));
  }

  /** About a link; the text begins with the client's address. */
  ofLink(kind: LinkNotice['kind'], level: NoticeLevel, remote: Endpoint, text: string): void {
    this.publish({ kind, level, remote, text: `client ${endpointText(remote)}: ${text}` });
  }
}
