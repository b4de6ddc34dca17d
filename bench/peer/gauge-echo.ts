// The two ends of the gauge, a program each: `gauge-echo serve` sends back what it gets, `gauge-echo ask PORT` measures
// how often a second it does when asked by each line on stdin.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** What a GET takes. */
const MESSAGE = Buffer.alloc(24, 0x55);
const MEASURE_MS = 250;

const [, , role, port] = process.argv;
if (role === 'serve') await serve();
else await ask(Number(port));

async function serve(): Promise<void> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  console.log(typeof address === 'object' ? address?.port : address);
  process.stdin.resume().on('end', () => process.exit(0));
}

async function ask(serverPort: number): Promise<void> {
  const socket = connect({ port: serverPort, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  for await (const _ of createInterface({ input: process.stdin })) console.log(await echoesPerSecond());
  socket.destroy();

  async function echoesPerSecond(): Promise<number> {
    const start = performance.now();
    let count = 0;
    await new Promise<void>((resolve) => {
      socket.on('data', function again() {
        count++;
        if (performance.now() - start < MEASURE_MS) return socket.write(MESSAGE);
        socket.off('data', again);
        return resolve();
      });
      socket.write(MESSAGE);
    });
    return (count / (performance.now() - start)) * 1000;
  }
}
