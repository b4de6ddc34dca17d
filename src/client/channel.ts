// How does a client come to a PV and stay with it: search, connect, create, lose, and from the beginning?

import { DisconnectedError, LocalProtocolError, type PvaError, StatusError } from '../protocol/errors.ts';
import {
  CLIENT_CHANNEL,
  type ClientChannelEvent,
  type ClientChannelState,
} from '../protocol/machines/client-channel.ts';
import { nextState } from '../protocol/machines/state-table.ts';
import type { Clock, TimerHandle } from '../transport/clocks.ts';
import type { Endpoint } from '../transport/network.ts';
import type { ActiveChannel } from './active-channel.ts';
import type { Call } from './call.ts';
import type { NoticeBoard } from './notices.ts';
import type { LinkedChannel, ServerLink } from './server-link.ts';
import { HOLD_OFF_MS, type Servers } from './servers.ts';

/** Who looks for the server of a channel. */
export interface Seeker {
  /** Calls `found` when a server answers; `remove` ends it. */
  add(channel: Channel): void;
  /** The server that had been found was lost: search soon, or later if it could not even be reached. */
  addAgain(channel: Channel, why: 'lost' | 'unreachable' | 'refused'): void;
  remove(channel: Channel): void;
  /** What has been done so far, as the rest of a sentence: 'searched 3 times, no server answered'. */
  describe(channel: Channel): string;
}

export interface ChannelSurroundings {
  readonly clock: Clock;
  readonly servers: Servers;
  readonly seeker: Seeker;
  readonly notices: NoticeBoard;
  /** Nobody uses the channel, which is kept for the next user. */
  idle(channel: Channel): void;
  /** Nobody has used the channel for a while: it is closed. */
  unused(channel: Channel): void;
}

/** A channel that nobody uses is kept for so long, for a client that comes back each second. */
export const IDLE_MS = 20_000;

type Waiter = { readonly resolve: (active: ActiveChannel) => void; readonly reject: (reason: unknown) => void };

export class Channel implements LinkedChannel {
  readonly pvName: string;
  readonly cid: number;
  /** Given when the caller named the server: it is not searched for. */
  readonly direct: Endpoint | undefined;
  readonly #around: ChannelSurroundings;
  readonly #waiters = new Set<Waiter>();
  #state: ClientChannelState = CLIENT_CHANNEL.initial;
  #link: ServerLink | undefined;
  #active: ActiveChannel | undefined;
  /** GUID of the server that answered the search. */
  #guid: string | undefined;
  #duplicateGuid: string | undefined;
  /** Why the last try with a server came to nothing. */
  #lastFailure: string | undefined;
  /** Why the server that the caller named is not asked again. */
  #refusal: PvaError | undefined;
  #userCount = 0;
  #timer: TimerHandle | undefined;

  constructor(pvName: string, cid: number, direct: Endpoint | undefined, around: ChannelSurroundings) {
    this.pvName = pvName;
    this.cid = cid;
    this.direct = direct;
    this.#around = around;
  }

  get state(): ClientChannelState {
    return this.#state;
  }

  /** Begins to look for a server. */
  open(): void {
    if (this.direct === undefined) this.#around.seeker.add(this);
    else this.#goTo(this.direct);
  }

  /** One more operation needs the channel; every `use` has its `release`. */
  use(): void {
    this.#userCount++;
    if (this.#userCount === 1 && this.#state !== 'searching') this.#cancelTimer();
  }

  /** A channel whose server refused it is not worth keeping. */
  release(): void {
    this.#userCount--;
    if (this.#userCount > 0 || this.#state === 'closed') return;
    if (this.#state !== 'active') return this.#around.unused(this);
    this.#cancelTimer();
    this.#timer = this.#around.clock.after(IDLE_MS, () => this.#around.unused(this));
    this.#around.idle(this);
  }

  /** Waits until operations are possible. Rejects when the server that the caller named refuses, or speaks otherwise. */
  whenActive(call: Call): Promise<ActiveChannel> {
    call.waitingFor = () => this.describeWait();
    return call.wait((resolve, reject) => {
      const waiter: Waiter = { resolve, reject };
      if (this.#active !== undefined) resolve(this.#active);
      else if (this.#refusal !== undefined) reject(this.#refusal);
      else if (this.#state === 'closed') reject(new DisconnectedError(`${this.pvName}: the channel is closed`));
      else this.#waiters.add(waiter);
      return () => this.#waiters.delete(waiter);
    });
  }

  /** What the channel waits for, as the rest of a sentence. */
  describeWait(): string {
    const failure = this.#lastFailure === undefined ? '' : `; before that ${this.#lastFailure}`;
    switch (this.#state) {
      case 'searching':
        return `${this.direct === undefined ? this.#around.seeker.describe(this) : 'waiting to connect again'}${failure}`;
      case 'connecting':
        return `${this.#foundText()}, ${this.#link?.connection.state === 'connecting' ? 'no TCP connection' : 'no CONNECTION_VALIDATED'}${failure}`;
      case 'creating':
        return `${this.#foundText()}, no reply to CREATE_CHANNEL${failure}`;
      case 'active':
      case 'refused':
      case 'closed':
        return `the channel is ${this.#state}${failure}`;
    }
  }

  /** A server answered the search. */
  found(server: Endpoint, guid: string): void {
    // Whoever named the server wants no other, whatever arrives by UDP.
    if (this.direct !== undefined) return;
    if (this.#state !== 'searching') return this.#foundElsewhere(server, guid);
    this.#guid = guid;
    this.#around.seeker.remove(this);
    this.#goTo(server);
  }

  close(): void {
    if (this.#state === 'closed') return;
    const link = this.#link;
    this.#around.seeker.remove(this);
    this.#cancelTimer();
    this.#follow('close');
    this.#leave();
    link?.detach(this);
    this.#rejectAll(new DisconnectedError(`${this.pvName}: the channel is closed`));
  }

  // --- told by the link ----------------------------------------------------------------------------------------

  creating(): void {
    this.#follow('create');
  }

  created(active: ActiveChannel): void {
    this.#follow('created');
    this.#active = active;
    this.#lastFailure = undefined;
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const { resolve } of waiters) resolve(active);
  }

  /** The notice comes last, as every notice does: whoever hears it may close all this. */
  refused(reason: string): void {
    const { server } = this.#requireLink();
    this.#lastFailure = `${server} refused the channel: ${reason}`;
    this.#leave();
    const text = `${this.pvName}: ${this.#lastFailure}`;
    if (this.direct === undefined) {
      this.#follow('refuse');
      this.#around.seeker.addAgain(this, 'refused');
    } else {
      this.#refuseDirect(new StatusError(text));
    }
    // Whoever named the server is told by the end of the call.
    const level = this.direct === undefined ? 'warning' : 'debug';
    this.#around.notices.publish({ kind: 'channelRefused', level, pvName: this.pvName, server, text });
  }

  lost(reason: DisconnectedError): void {
    const wasReached = this.#state !== 'connecting';
    const isInVain = this.direct !== undefined && this.#link?.connection.speaksOtherwise === true;
    this.#lastFailure = reason.message;
    this.#leave();
    if (isInVain)
      return this.#refuseDirect(new DisconnectedError(`${this.pvName}: ${reason.message}`, { cause: reason }));
    this.#follow('lose');
    if (this.#userCount === 0) return this.#around.unused(this);
    if (this.direct === undefined) return this.#around.seeker.addAgain(this, wasReached ? 'lost' : 'unreachable');
    // Without a search nothing else would slow down a server that creates and destroys in turn.
    const { direct } = this;
    this.#cancelTimer();
    this.#timer = this.#around.clock.after(HOLD_OFF_MS, () => this.#goTo(direct));
  }

  // -------------------------------------------------------------------------------------------------------------

  #goTo(server: Endpoint): void {
    this.#follow('found');
    this.#link = this.#around.servers.link(server);
    this.#link.attach(this);
  }

  #leave(): void {
    this.#link = undefined;
    this.#active = undefined;
  }

  #foundElsewhere(server: Endpoint, guid: string): void {
    // One server answers once for each of its networks; and a second one is worth a notice, not one each second.
    if (guid === this.#guid || guid === this.#duplicateGuid || this.#link === undefined) return;
    this.#duplicateGuid = guid;
    const other = `${server.address}:${server.port}`;
    const text = `${this.pvName}: served by ${this.#link.server}, and also by ${other}`;
    this.#around.notices.publish({ kind: 'duplicatePv', level: 'warning', pvName: this.pvName, server: other, text });
  }

  #foundText(): string {
    const server = this.#link?.server ?? 'nowhere';
    return this.direct === undefined ? `found at ${server}` : `asked ${server}`;
  }

  /** Nothing is to be had of the server that the caller named. */
  #refuseDirect(refusal: PvaError): void {
    this.#follow('refuseDirect');
    this.#refusal = refusal;
    this.#rejectAll(refusal);
  }

  #rejectAll(reason: unknown): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const { reject } of waiters) reject(reason);
  }

  #cancelTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #requireLink(): ServerLink {
    if (this.#link === undefined) throw new LocalProtocolError(`${this.pvName} has no link while ${this.#state}`);
    return this.#link;
  }

  #follow(event: ClientChannelEvent): void {
    this.#state = nextState(CLIENT_CHANNEL, this.#state, event);
  }
}
