// What does a client say about itself while it runs? Notices for people; nothing is printed here.
//
// They go to the diagnostics channel and to the listeners of the context.

import { NoticeListeners } from '../channels/notice-listeners.ts';
import { DEFAULT_LIMITS } from '../protocol/limits.ts';
import { cut } from '../protocol/text.ts';
import type { ChannelRights } from './channel-rights.ts';

/** Name of the `node:diagnostics_channel` on which every context of the process publishes its `ClientNotice`s. */
export const CLIENT_NOTICES = 'pvkit:client';

/** Something that the user of a client may want to know. */
export interface ClientNotice {
  readonly kind:
    /** A server's MESSAGE about an operation. */
    | 'serverMessage'
    /** Two servers answer searches for one PV. */
    | 'duplicatePv'
    | 'channelRefused'
    | 'linkOpened'
    | 'linkClosed'
    /** The server did something odd that does no harm. */
    | 'linkWarning'
    /** Searching or hearing beacons is not possible, or not everywhere. */
    | 'searchFailed'
    /** What a server allows with a channel: level debug at first, info when it changes. */
    | 'rightsTold'
    | 'serverFound'
    | 'serverLost'
    /** A listener of notices threw; told once for each, and it is still called. */
    | 'listenerFailed';
  readonly level: 'debug' | 'info' | 'warning' | 'error';
  /** A sentence for people; it begins with the PV or the server that it is about. */
  readonly text: string;
  readonly pvName?: string;
  /** `host:port` */
  readonly server?: string;
  /** Of kind `rightsTold`. */
  readonly rights?: ChannelRights;
}

/** What a server says, as far as a person reads it. */
export function said(text: string): string {
  return cut(text, DEFAULT_LIMITS.maxMessageCharacters);
}

/** Where the parts of one context put their notices. */
export class NoticeBoard extends NoticeListeners<ClientNotice> {
  constructor() {
    super(CLIENT_NOTICES, (text) => ({ kind: 'listenerFailed', level: 'error', text }));
  }
}
