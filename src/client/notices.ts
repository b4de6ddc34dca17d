// What does a client say about itself while it runs? Notices for people; nothing is printed here.
//
// They go to the diagnostics channel and to the listeners of the context.

import { channel } from 'node:diagnostics_channel';
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
    | 'serverLost';
  readonly level: 'debug' | 'info' | 'warning' | 'error';
  /** A sentence for people; it begins with the PV or the server that it is about. */
  readonly text: string;
  readonly pvName?: string;
  /** `host:port` */
  readonly server?: string;
  /** Of kind `rightsTold`. */
  readonly rights?: ChannelRights;
}

/** Where the parts of one context put their notices. */
export class NoticeBoard {
  readonly #diagnostics = channel(CLIENT_NOTICES);
  readonly #listeners = new Set<(notice: ClientNotice) => void>();

  publish(notice: ClientNotice): void {
    if (this.#diagnostics.hasSubscribers) this.#diagnostics.publish(notice);
    for (const listener of this.#listeners) {
      try {
        listener(notice);
      } catch (error) {
        // As `node:diagnostics_channel` does it: the listener's fault ends the program, not the link that had news.
        process.nextTick(() => {
          throw error;
        });
      }
    }
  }

  listen(listener: (notice: ClientNotice) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
