// Which PV does a message concern? The names behind the ids that a connection's messages carry.

import type { ClientMessage, ServerMessage } from '../messages/index.ts';
import type { Limits } from '../limits.ts';
import { BoundedMap } from './bounded-map.ts';

type Message = ClientMessage | ServerMessage;

/** Names of the searches under way. The ids are the client's own, and clients are told apart by the port they ask from. */
export class SearchedNames {
  readonly #names: BoundedMap<string, string>;

  constructor(limits: Limits) {
    this.#names = new BoundedMap(limits.maxChannelsPerLink);
  }

  remember(port: number, instanceId: number, pvName: string): void {
    this.#names.set(`${port} ${instanceId}`, pvName);
  }

  find(port: number, instanceId: number): string | undefined {
    return this.#names.get(`${port} ${instanceId}`);
  }
}

export class ChannelNames {
  readonly #searched: SearchedNames;
  readonly #byCid: BoundedMap<number, string>;
  // undefined for what belongs to a channel whose name was not heard: an id that is given again has a new meaning.
  readonly #bySid: BoundedMap<number, string | undefined>;
  readonly #byIoid: BoundedMap<number, string | undefined>;

  constructor(limits: Limits, searched: SearchedNames) {
    this.#searched = searched;
    this.#byCid = new BoundedMap(limits.maxChannelsPerLink);
    this.#bySid = new BoundedMap(limits.maxChannelsPerLink);
    this.#byIoid = new BoundedMap(limits.maxOperationsPerLink);
  }

  /**
   * The names that a message is about, as far as the messages before it told. `toPort` is the port that a datagram goes
   * to, 0 over TCP.
   */
  follow(message: Message, toPort: number): readonly string[] {
    switch (message.command) {
      case 'SEARCH':
        for (const { instanceId, pvName } of message.names) {
          this.#searched.remember(toPort === 0 ? 0 : message.responsePort, instanceId, pvName);
        }
        return message.names.map(({ pvName }) => pvName);
      case 'SEARCH_RESPONSE':
        return known(message.instanceIds.map((id) => this.#searched.find(toPort, id)));
      case 'CREATE_CHANNEL':
        if ('channels' in message) {
          for (const { cid, pvName } of message.channels) this.#byCid.set(cid, pvName);
          return message.channels.map(({ pvName }) => pvName);
        }
        return known([this.#link(message.cid, message.sid)]);
      default:
        return this.#named(message);
    }
  }

  #link(cid: number, sid: number): string | undefined {
    const pvName = this.#byCid.get(cid);
    this.#bySid.set(sid, pvName);
    return pvName;
  }

  #named(message: Message): readonly string[] {
    if ('sid' in message) {
      const pvName = this.#bySid.get(message.sid);
      if ('ioid' in message) this.#byIoid.set(message.ioid, pvName);
      return known([pvName]);
    }
    if ('ioid' in message) return known([this.#byIoid.get(message.ioid)]);
    return 'cid' in message ? known([this.#byCid.get(message.cid)]) : [];
  }
}

function known(names: readonly (string | undefined)[]): readonly string[] {
  return names.filter((name) => name !== undefined);
}
