// How do tests run a server with workers without processes? Each worker is an object in this one, behind a pipe in memory
// that delays and cuts by a seed, and can be killed.

// A server loads it when it needs it, which takes time of the real clock.
import '../../src/server/workers/crew.ts';
import { Worker } from '../../src/server/workers/worker.ts';
import { MemoryConnection } from '../../src/transport/memory-connection.ts';
import { Wire, type MemoryNetworkOptions } from '../../src/transport/memory-wire.ts';
import type { Clock } from '../../src/transport/clocks.ts';
import type { Network, TcpConnection } from '../../src/transport/network.ts';
import type { Processes, WorkerProcess } from '../../src/transport/processes.ts';
import type { Vitals } from '../../src/transport/vitals.ts';

export interface MemoryWorker extends WorkerProcess {
  readonly worker: Worker;
  /** The connections that it has. */
  readonly connections: ReadonlySet<TcpConnection>;
  /** The end of its pipe. */
  readonly farPipe: TcpConnection;
}

export class MemoryProcesses implements Processes {
  /** Those that live. */
  readonly workers = new Set<MemoryWorker>();
  /** Started so far. */
  startedCount = 0;
  /** Set by a test: how the processes of workers are. */
  vitals: Vitals | undefined;
  /** Set by a test: workers end before they are ready. */
  failsAtStart = false;
  readonly listenTcp: Processes['listenTcp'];
  readonly #clock: Clock;
  readonly #wire: Wire;

  constructor(clock: Clock, host: Network, wire: Omit<MemoryNetworkOptions, 'clock'> = {}) {
    this.#clock = clock;
    this.#wire = new Wire({ ...wire, clock });
    this.listenTcp = (options, accept) => host.listenTcp(options, accept);
  }

  startWorker(ended: (how: string) => void): WorkerProcess {
    const pid = ++this.startedCount;
    const side = (host: string) => ({ host, endpoint: { address: host, port: pid } });
    const [pipe, farPipe] = MemoryConnection.pair(this.#wire, side('server'), side('worker'), () => undefined);
    const connections = new Set<TcpConnection>();
    let isOver = false;
    const over = (how: string): void => {
      if (isOver) return;
      isOver = true;
      this.workers.delete(started);
      farPipe.destroy();
      for (const connection of connections) connection.destroy();
      this.#clock.soon(() => ended(how));
    };
    let isEnding = false;
    const worker = new Worker({
      connection: farPipe,
      clock: this.#clock,
      ...(this.vitals && { vitals: this.vitals }),
      ending: () => (isEnding = true),
      ended: () => over(isEnding ? 'exit code 0' : 'exit code 1'),
    });
    const started: MemoryWorker = {
      pid,
      pipe,
      worker,
      connections,
      farPipe,
      hand: (connection, otherPort) => {
        if (!(connection instanceof MemoryConnection) || isOver) return connection.destroy();
        connections.add(connection);
        const { address } = connection.remote;
        this.#clock.soon(() => worker.accept({ connection, address, otherPort }));
      },
      kill: () => over('signal SIGKILL'),
    };
    this.workers.add(started);
    if (this.failsAtStart) over('exit code 1');
    return started;
  }
}
