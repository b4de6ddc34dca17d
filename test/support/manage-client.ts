// How do tests ask a server for channels? By RPCs to its PV `server`, as any EPICS client does.

import { setImmediate } from 'node:timers/promises';
// Loaded by the first call otherwise: meanwhile the clock of a test would go on until the link is given up.
import '../../src/server/create-arguments.ts';
import '../../src/server/manage-operations.ts';
import type { AnyValue } from '../../src/protocol/types/value-of.ts';
import { string, structure } from '../../src/protocol/types/type-desc.ts';
import { STATUS_ERROR } from '../../src/protocol/status.ts';
import type { WireClient } from './wire-client.ts';

export type Arguments = Readonly<Record<string, string>>;

/** Arguments as a plain structure of texts. */
export function plainArguments(args: Arguments): AnyValue {
  return { type: structure('', Object.fromEntries(Object.keys(args).map((name) => [name, string]))), value: args };
}

/** The same in the query of an NTURI. */
export function uriArguments(args: Arguments): AnyValue {
  const query = plainArguments(args);
  return {
    type: structure('epics:nt/NTURI:1.0', { scheme: string, path: string, query: query?.type ?? string }),
    value: { scheme: 'pva', path: 'server', query: query?.value ?? null },
  };
}

export class ManageClient {
  readonly client: WireClient;
  readonly #settle: () => Promise<void>;
  readonly #sid: number;

  private constructor(client: WireClient, settle: () => Promise<void>, sid: number) {
    this.client = client;
    this.#settle = settle;
    this.#sid = sid;
  }

  static async open(client: WireClient, settle: () => Promise<void>): Promise<ManageClient> {
    return new ManageClient(client, settle, await client.createChannel('server'));
  }

  /** What is answered; rejects with the sentence of a refusal. */
  async call(args: AnyValue | Arguments): Promise<Readonly<Record<string, unknown>>> {
    const pending = await this.begin(args);
    return pending();
  }

  /** Sends the request; what is returned waits for the answer. */
  async begin(args: AnyValue | Arguments): Promise<() => Promise<Readonly<Record<string, unknown>>>> {
    const { client } = this;
    const sid = this.#sid;
    const ioid = await client.init('RPC', sid);
    client.take('RPC');
    const argument = isTyped(args) ? args : plainArguments(args ?? {});
    await client.send({ command: 'RPC', phase: 'exec', sid, ioid, subcommand: 0x10, argument });
    return async () => {
      const isAnswer = (): boolean => client.heard.some((heard) => heard.command === 'RPC' && heard.ioid === ioid);
      // Even what is loaded already is imported at a time that no clock of a test knows of.
      while (!isAnswer()) {
        await setImmediate();
        await this.#settle();
      }
      const at = client.heard.findIndex((heard) => heard.command === 'RPC' && heard.ioid === ioid);
      const [reply] = client.heard.splice(at, 1);
      if (reply?.command !== 'RPC' || reply.phase !== 'exec') throw new Error('no answer to the RPC');
      if (reply.status.type === STATUS_ERROR) throw new Error(reply.status.message);
      // Every answer of these operations is a structure.
      return (reply.result?.value ?? {}) as Readonly<Record<string, unknown>>;
    };
  }
}

function isTyped(args: AnyValue | Arguments): args is NonNullable<AnyValue> {
  return args !== null && typeof args['type'] === 'object';
}
