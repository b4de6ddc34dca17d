// A Redis, or a Sentinel, that says what the test wants: it answers what a client says when it connects, and nothing else.

import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** The reply to a command, as its bytes; undefined for the usual one, '' for none. */
export type FakeAnswer = (command: readonly string[]) => string | undefined;

export class FakeRedis {
  /** Names of the commands that came, in lower case. */
  readonly asked: string[] = [];
  connectionCount = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #answer: FakeAnswer;

  private constructor(answer: FakeAnswer) {
    this.#answer = answer;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(answer: FakeAnswer = () => undefined): Promise<FakeRedis> {
    const fake = new FakeRedis(answer);
    await new Promise<void>((resolve) => {
      fake.#server.listen(0, '127.0.0.1', resolve);
    });
    return fake;
  }

  get port(): number {
    // An address of TCP is none of a pipe.
    return (this.#server.address() as AddressInfo).port;
  }

  /** Drops every connection. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.drop();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  #serve(socket: Socket): void {
    this.connectionCount++;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk) => {
      text += String(chunk);
      for (let command = firstCommand(text); command !== undefined; command = firstCommand(text)) {
        text = text.slice(command.length);
        this.asked.push(command.words[0]?.toLowerCase() ?? '');
        socket.write(this.#answer(command.words) ?? usual(command.words));
      }
    });
  }
}

export function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

/** As INFO says it while the data is read from disk; the time is Redis' own guess. */
export function loadingFor(seconds: number): string {
  return bulk(`# Persistence\r\nloading:1\r\nloading_eta_seconds:${seconds}\r\n`);
}

function usual([name = '', ...rest]: readonly string[]): string {
  switch (name.toLowerCase()) {
    case 'hello': {
      return "-ERR unknown command 'HELLO'\r\n";
    }
    case 'info': {
      return bulk('# Persistence\r\nloading:0\r\n# Replication\r\nrole:master\r\n');
    }
    case 'subscribe': {
      return `*3\r\n${bulk('subscribe')}${bulk(rest[0] ?? '')}:1\r\n`;
    }
    default: {
      return '+OK\r\n';
    }
  }
}

/** The first command of what came, an array of bulk strings; undefined until all of it is there. */
function firstCommand(text: string): { readonly words: readonly string[]; readonly length: number } | undefined {
  const head = /^\*(\d+)\r\n/u.exec(text);
  if (head === null) return undefined;
  const words: string[] = [];
  let at = head[0].length;
  for (let left = Number(head[1]); left > 0; left--) {
    const size = /^\$(\d+)\r\n/u.exec(text.slice(at));
    if (size === null) return undefined;
    const start = at + size[0].length;
    const end = start + Number(size[1]);
    if (text.length < end + 2) return undefined;
    words.push(text.slice(start, end));
    at = end + 2;
  }
  return { words, length: at };
}
