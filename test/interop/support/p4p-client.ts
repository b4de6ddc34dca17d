// How does a test make p4p's client (pvxs underneath) do something and learn what it saw?

import { LineProcess, type Environment } from './line-process.ts';
import { PEERS, PYTHON } from './peers.ts';
import type { P4pType, Tagged } from './tagged.ts';

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

export type P4pEvent =
  | { readonly event: 'update'; readonly value: Tagged }
  | { readonly event: 'disconnected' | 'finished' | 'timeout' }
  | { readonly event: 'error'; readonly message: string };

interface Options {
  readonly request?: string;
  /** Seconds. */
  readonly timeout?: number;
}

/** An argument of an RPC: name, p4p's code of its type ("d", "l", "s"), value. */
export type P4pArgument = readonly [name: string, code: string, value: unknown];

/** Every method rejects with what p4p says. */
export class P4pClient {
  readonly #process: LineProcess;
  readonly #waiting = new Map<number, (answer: Omit<Answer, 'id'>) => void>();
  #nextId = 1;
  #reading: Promise<void> = Promise.resolve();

  private constructor(process: LineProcess) {
    this.#process = process;
  }

  static async start(environment: Environment): Promise<P4pClient> {
    const client = new P4pClient(new LineProcess(PYTHON, [`${PEERS}p4p_client.py`], environment));
    await client.#process.lineWith('"ready"');
    client.#reading = client.#read();
    return client;
  }

  async get(pvName: string, options: Options = {}): Promise<Tagged> {
    const [value = null] = await this.getAll([pvName], options);
    return value;
  }

  /** Values of many PVs at once; rejects when one of them cannot be had. */
  getAll(pvNames: readonly string[], options: Options = {}): Promise<readonly Tagged[]> {
    return this.#do<readonly Tagged[]>('get', { names: pvNames, ...options });
  }

  types(pvNames: readonly string[]): Promise<readonly P4pType[]> {
    return this.#do<readonly P4pType[]>('types', { names: pvNames });
  }

  /** `value` as `from_json` of peers/tagged.py reads it: the value of the PV, or an object of fields. */
  async put(pvName: string, value: unknown, options: Options = {}): Promise<void> {
    await this.#do<true>('put', { name: pvName, value, ...options });
  }

  rpc(pvName: string, args: readonly P4pArgument[], options: Options = {}): Promise<Tagged> {
    return this.#do<Tagged>('rpc', { name: pvName, arguments: args, ...options });
  }

  async monitor(pvName: string, options: Options = {}): Promise<P4pMonitor> {
    const monitor = this.#nextId++;
    await this.#do<true>('monitor', { name: pvName, monitor, ...options });
    return {
      next: (timeout = 5) => this.#do<P4pEvent>('next', { monitor, timeout }),
      stop: async () => {
        await this.#do<true>('stop', { monitor });
      },
    };
  }

  async end(): Promise<void> {
    await this.#process.end();
    await this.#reading;
  }

  async #do<R>(what: string, details: Readonly<Record<string, unknown>>): Promise<R> {
    const id = this.#nextId++;
    const answer = await new Promise<Omit<Answer, 'id'>>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#process.write(JSON.stringify({ id, do: what, ...details }));
    });
    if (answer.error !== undefined) throw new Error(answer.error);
    // Each command of peers/p4p_client.py has one form of answer, which the caller names.
    return answer.result as R;
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        // peers/p4p_client.py writes nothing else.
        const answer = JSON.parse(await this.#process.line()) as Answer;
        this.#waiting.get(answer.id)?.(answer);
        this.#waiting.delete(answer.id);
      }
    } catch (ended) {
      for (const settle of this.#waiting.values()) settle({ error: String(ended) });
    }
  }
}

export interface P4pMonitor {
  /** The next event, 'timeout' when none comes within so many seconds. */
  next(timeout?: number): Promise<P4pEvent>;
  stop(): Promise<void>;
}
