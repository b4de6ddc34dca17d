// How does one server behave over TCP? A connection of its own: greeting, validation, echo, a search, the PV's channel.

import { isAny } from '../protocol/address.ts';
import { DisconnectedError, PvaError } from '../protocol/errors.ts';
import type { CreateChannelReply } from '../protocol/messages/create-channel.ts';
import type { ServerMessage } from '../protocol/messages/index.ts';
import type { SearchResponse } from '../protocol/messages/search-response.ts';
import { SEARCH_MUST_REPLY, SEARCH_UNICAST } from '../protocol/messages/search.ts';
import { isSuccess } from '../protocol/status.ts';
import { endpointText } from '../transport/network-error.ts';
import type { Endpoint } from '../transport/network.ts';
import { onAbort } from './abort-hub.ts';
import { channelRights, type ChannelRights } from './channel-rights.ts';
import { Connection, type ConnectionSettings, type Greeting } from './connection.ts';
import { said } from './notices.ts';
import type { ChannelTrial, SearchAnswer, Visit, VisitStage } from './diagnose-result.ts';

export interface VisitPlan {
  readonly server: Endpoint;
  /** Create a channel to it, and look at its type. */
  readonly channelTo: string | undefined;
  /** Search by TCP: for this PV, or with '' for nobody in particular. */
  readonly searchFor: string | undefined;
  readonly timeoutMs: number;
}

const CID = 1;
const IOID = 1;
const SEQUENCE_ID = 1;
const TCP = 'tcp';

/** Resolves with what was found out when all is answered, the server is gone, time is up, or `signal` aborts. */
export function visit(plan: VisitPlan, settings: ConnectionSettings, signal: AbortSignal): Promise<Visit> {
  return new Promise((resolve) => {
    const visitor = new Visitor(plan, settings, (result) => {
      unfollow();
      timer.cancel();
      resolve(result);
    });
    const stop = (): void => visitor.end();
    const timer = settings.clock.after(plan.timeoutMs, stop);
    const unfollow = onAbort(signal, stop);
    if (signal.aborted) stop();
    else visitor.begin();
  });
}

class Visitor {
  readonly #plan: VisitPlan;
  readonly #settings: ConnectionSettings;
  readonly #done: (result: Visit) => void;
  readonly #connection: Connection;
  readonly #startedAt: number;
  /** What has been asked and is not answered. */
  readonly #open = new Set<'echo' | 'search' | 'channel'>();
  #stage: VisitStage = 'connecting';
  #failure: Visit['failure'];
  #connectMs: number | undefined;
  #greeting: Greeting | undefined;
  #remark: string | undefined;
  #askedAt = 0;
  #echoMs: number | undefined;
  #search: Visit['search'];
  #foundAt: SearchAnswer | undefined;
  #channel: ChannelTrial | undefined;
  #rights: ChannelRights | undefined;
  #isEnded = false;

  constructor(plan: VisitPlan, settings: ConnectionSettings, done: (result: Visit) => void) {
    this.#plan = plan;
    this.#settings = settings;
    this.#done = done;
    this.#startedAt = settings.clock.now();
    this.#connection = new Connection(
      plan.server,
      { ...settings, keepsAlive: false },
      {
        connected: () => {
          this.#stage = 'connected';
          this.#connectMs = this.#sinceStart();
        },
        greeted: (greeting) => {
          this.#stage = 'greeted';
          this.#greeting = greeting;
        },
        validated: () => this.#ask(),
        message: (message) => this.#message(message),
        typeOf: () => undefined,
        warning: (text) => (this.#remark = text),
        closed: (reason) => this.#closed(reason),
      },
    );
  }

  begin(): void {
    this.#connection.open();
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#connection.end(new DisconnectedError('the visit is over'));
    this.#done(this.#result());
  }

  #ask(): void {
    this.#stage = 'validated';
    this.#askedAt = this.#settings.clock.now();
    const { channelTo, searchFor } = this.#plan;
    this.#open.add('echo');
    this.#connection.send({ command: 'ECHO', payload: new Uint8Array() });
    if (searchFor !== undefined) {
      this.#open.add('search');
      this.#search = { state: 'silent', roundTripMs: undefined };
      const isPing = searchFor === '';
      this.#connection.send({
        command: 'SEARCH',
        sequenceId: SEQUENCE_ID,
        flags: SEARCH_MUST_REPLY | SEARCH_UNICAST,
        responseAddress: '::',
        responsePort: 0,
        protocols: isPing ? [] : [TCP],
        names: isPing ? [] : [{ instanceId: CID, pvName: searchFor }],
      });
    }
    if (channelTo === undefined) return;
    this.#open.add('channel');
    this.#channel = { state: 'silent' };
    this.#connection.send({ command: 'CREATE_CHANNEL', channels: [{ cid: CID, pvName: channelTo }] });
  }

  #message(message: ServerMessage): void {
    switch (message.command) {
      case 'ECHO':
        this.#echoMs ??= this.#sinceAsked();
        return this.#answered('echo');
      case 'SEARCH_RESPONSE':
        return this.#searched(message);
      case 'ACL_CHANGE':
        if (message.form === 'rights' && message.cid === CID) this.#rights = channelRights(message.rights);
        return;
      case 'CREATE_CHANNEL':
        return this.#created(message);
      case 'GET_FIELD': {
        const { type } = message;
        const typeId = type !== null && 'id' in type ? type.id : type?.kind;
        this.#channel = { state: 'created', typeId, rights: this.#rights };
        return this.#answered('channel');
      }
      default:
        return;
    }
  }

  #searched(response: SearchResponse): void {
    const { found, guid, protocol, serverAddress, serverPort, instanceIds } = response;
    if (!this.#open.has('search')) return;
    const roundTripMs = this.#sinceAsked();
    const hasPv = found && instanceIds.includes(CID);
    this.#search = { state: hasPv ? 'found' : 'notFound', roundTripMs };
    const { server, serverText } = this.#connection;
    if (hasPv) {
      const address = isAny(serverAddress) ? server.address : serverAddress;
      const port = serverPort === 0 ? server.port : serverPort;
      const at = endpointText({ address, port });
      const version = this.#greeting?.version ?? 0;
      this.#foundAt = { guid, server: at, protocol, version, via: serverText, roundTripMs, hasPv };
    }
    this.#answered('search');
  }

  #created({ cid, sid, status }: CreateChannelReply): void {
    if (cid !== CID || !this.#open.has('channel')) return;
    if (!isSuccess(status)) {
      this.#channel = { state: 'refused', reason: status.message === '' ? 'no reason given' : said(status.message) };
      return this.#answered('channel');
    }
    this.#channel = { state: 'created', typeId: undefined, rights: this.#rights };
    this.#connection.send({ command: 'GET_FIELD', sid, ioid: IOID, subField: '' });
  }

  #answered(question: 'echo' | 'search' | 'channel'): void {
    this.#open.delete(question);
    if (this.#open.size === 0) this.end();
  }

  #closed(reason: DisconnectedError): void {
    if (this.#isEnded) return;
    const { cause } = reason;
    this.#failure = { code: cause instanceof PvaError ? cause.code : reason.code, text: reason.message };
    this.end();
  }

  #sinceStart(): number {
    return this.#settings.clock.now() - this.#startedAt;
  }

  #sinceAsked(): number {
    return this.#settings.clock.now() - this.#askedAt;
  }

  #result(): Visit {
    const greeting = this.#greeting;
    return {
      server: this.#connection.serverText,
      stage: this.#stage,
      failure: this.#failure,
      connectMs: this.#connectMs,
      version: greeting?.version,
      byteOrder: greeting && (greeting.bigEndian ? 'big endian' : 'little endian'),
      authMethods: greeting?.methods ?? [],
      authMethod: greeting?.method,
      remark: this.#remark,
      echoMs: this.#echoMs,
      search: this.#search,
      foundAt: this.#foundAt,
      channel: this.#channel,
    };
  }
}
