// How does a test start a foreign peer, or pvkit's own command line, as a process, and end it for sure?

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createInterface, type Interface } from 'node:readline';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
export const PYTHON = `${ROOT}.venv/bin/python`;
const PEERS = `${ROOT}test/interop/peers/`;
const START_MS = 20_000;

/** A process that speaks lines. */
export class LineProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;
  readonly #waiting: ((line: string | undefined) => void)[] = [];
  readonly #unread: string[] = [];
  #hasEnded = false;
  stderr = '';
  readonly exited: Promise<number | null>;

  constructor(command: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(command, args, { cwd: ROOT, env: { ...process.env, ...environment } });
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.#lines = createInterface({ input: this.#child.stdout });
    this.#lines.on('line', (line) => {
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#unread.push(line);
      else waiting(line);
    });
    this.exited = new Promise((resolve) => {
      this.#child.on('close', (code) => {
        this.#hasEnded = true;
        for (const waiting of this.#waiting.splice(0)) waiting(undefined);
        resolve(code);
      });
    });
  }

  write(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.#child.kill(signal);
  }

  async line(): Promise<string> {
    const ready = this.#unread.shift();
    if (ready !== undefined) return ready;
    if (this.#hasEnded) throw new Error(`the process has ended: ${this.stderr}`);
    const line = await new Promise<string | undefined>((resolve) => {
      this.#waiting.push(resolve);
    });
    if (line === undefined) throw new Error(`the process ended before it said anything more: ${this.stderr}`);
    return line;
  }

  /** Reads lines until one holds `text`. */
  async lineWith(text: string): Promise<string> {
    const deadline = Date.now() + START_MS;
    for (;;) {
      const line = await this.line();
      if (line.includes(text)) return line;
      if (Date.now() > deadline) throw new Error(`no line with '${text}' came: ${this.stderr}`);
    }
  }

  /** Closes its input, which ends a peer, and waits; a process that stays is killed. */
  async end(): Promise<number | null> {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    const code = await this.exited;
    clearTimeout(timer);
    return code;
  }
}

/** A UDP port that nobody has. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => {
    socket.bind(0, '127.0.0.1', resolve);
  });
  const { port } = socket.address();
  await new Promise<void>((resolve) => {
    socket.close(() => resolve());
  });
  return port;
}

/** A TCP port that nobody has. */
export async function freeTcpPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return address.port;
}

/** Settings that keep a client on loopback and its searches on one port. */
export function clientEnvironment(udpPort: number): Record<string, string> {
  return {
    EPICS_PVA_ADDR_LIST: '127.0.0.1',
    EPICS_PVA_AUTO_ADDR_LIST: 'NO',
    EPICS_PVA_NAME_SERVERS: '',
    EPICS_PVA_BROADCAST_PORT: String(udpPort),
    EPICS_PVA_INTF_ADDR_LIST: '127.0.0.1',
  };
}

/** Settings that make a client find servers over TCP alone. */
export function nameServerEnvironment(tcpPort: number, unusedUdpPort: number): Record<string, string> {
  return {
    ...clientEnvironment(unusedUdpPort),
    EPICS_PVA_ADDR_LIST: '',
    EPICS_PVA_NAME_SERVERS: `127.0.0.1:${tcpPort}`,
  };
}

/** Settings that keep a server on loopback. */
export function serverEnvironment(udpPort: number, tcpPort = 0): Record<string, string> {
  return {
    EPICS_PVAS_INTF_ADDR_LIST: '127.0.0.1',
    EPICS_PVAS_SERVER_PORT: String(tcpPort),
    EPICS_PVAS_BROADCAST_PORT: String(udpPort),
    EPICS_PVAS_AUTO_BEACON_ADDR_LIST: 'NO',
    EPICS_PVAS_BEACON_ADDR_LIST: '127.0.0.1',
  };
}

export interface ServedAt {
  readonly process: LineProcess;
  readonly tcpPort: number;
  readonly udpPort: number;
}

/** `pvkit serve` on loopback; ready when this resolves. */
export async function startPvkit(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<ServedAt> {
  const udpPort = await freeUdpPort();
  const server = new LineProcess(
    process.execPath,
    [
      'dist/cli/main.js',
      'serve',
      '--json',
      '--interface',
      '127.0.0.1',
      '--tcp-port',
      '0',
      '--udp-port',
      String(udpPort),
      ...args,
    ],
    { ...serverEnvironment(udpPort), ...environment },
  );
  const listening = JSON.parse(await server.lineWith('"listening"')) as {
    readonly tcpPort: number;
    readonly udpPort: number;
  };
  return { process: server, tcpPort: listening.tcpPort, udpPort: listening.udpPort };
}

/** The p4p server of peers/p4p_server.py; ready when this resolves. */
export async function startP4pServer(): Promise<ServedAt & { readonly names: readonly string[] }> {
  const udpPort = await freeUdpPort();
  const server = new LineProcess(PYTHON, [`${PEERS}p4p_server.py`], serverEnvironment(udpPort));
  const ready = JSON.parse(await server.lineWith('"ready"')) as {
    readonly tcpPort: number;
    readonly names: readonly string[];
  };
  return { process: server, tcpPort: ready.tcpPort, udpPort, names: ready.names };
}

/** A softIoc with peers/softioc.db; ready when this resolves. */
export async function startSoftIoc(): Promise<ServedAt> {
  const [udpPort, tcpPort, caPort] = [await freeUdpPort(), await freeTcpPort(), await freeTcpPort()];
  const ioc = new LineProcess(PYTHON, ['-u', '-m', 'pvxslibs.ioc', '-d', `${PEERS}softioc.db`], {
    ...serverEnvironment(udpPort, tcpPort),
    EPICS_CAS_INTF_ADDR_LIST: '127.0.0.1',
    EPICS_CAS_SERVER_PORT: String(caPort),
    EPICS_CAS_AUTO_BEACON_ADDR_LIST: 'NO',
    EPICS_CAS_BEACON_ADDR_LIST: '127.0.0.1',
  });
  await ioc.lineWith('IOC Running');
  return { process: ioc, tcpPort, udpPort };
}

/** A p4p client that runs commands for the test. */
export class P4pClient {
  readonly #process: LineProcess;
  readonly #answers = new Map<number, (answer: { readonly result?: unknown; readonly error?: string }) => void>();
  #nextId = 1;
  #reading: Promise<void> = Promise.resolve();

  private constructor(process: LineProcess) {
    this.#process = process;
  }

  static async start(environment: Readonly<Record<string, string>>): Promise<P4pClient> {
    const client = new P4pClient(new LineProcess(PYTHON, [`${PEERS}p4p_client.py`], environment));
    await client.#process.lineWith('"ready"');
    client.#reading = client.#read();
    return client;
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        const answer = JSON.parse(await this.#process.line()) as {
          readonly id: number;
          readonly result?: unknown;
          readonly error?: string;
        };
        this.#answers.get(answer.id)?.(answer);
        this.#answers.delete(answer.id);
      }
    } catch (ended) {
      for (const settle of this.#answers.values()) settle({ error: String(ended) });
    }
  }

  /** Runs one command of peers/p4p_client.py; rejects with what p4p says. */
  async do<R>(what: string, details: Readonly<Record<string, unknown>>): Promise<R> {
    const id = this.#nextId++;
    const answer = await new Promise<{ readonly result?: unknown; readonly error?: string }>((resolve) => {
      this.#answers.set(id, resolve);
      this.#process.write(JSON.stringify({ id, do: what, ...details }));
    });
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.result as R;
  }

  async end(): Promise<void> {
    await this.#process.end();
    await this.#reading;
  }
}
