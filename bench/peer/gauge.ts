// How fast is the machine just now? An echo over plain `node:net`, between the two cores that are measured on.
//
// Shared machines run at two speeds for seconds at a time, and other people work on them. What was measured while the
// echo was slow says nothing.

import { fileURLToPath } from 'node:url';
import { Child } from './child.ts';
import { GENERATOR_CORE, SERVER_CORE } from './cores.ts';

const ECHO = fileURLToPath(new URL('gauge-echo.js', import.meta.url));
/** A pair during which the echo was slower than this part of the best does not count. */
const LEAST_PART = 0.85;
/** Readings before the first pair, so that there is a best one to hold it against, and the echo is compiled. */
const FIRST_READINGS = 4;

export class Gauge {
  readonly #server: Child;
  readonly #client: Child;
  #best = 0;

  private constructor(server: Child, client: Child) {
    this.#server = server;
    this.#client = client;
  }

  static async open(): Promise<Gauge> {
    const server = new Child([process.execPath, ECHO, 'serve'], { cores: SERVER_CORE });
    const port = await server.line();
    const gauge = new Gauge(server, new Child([process.execPath, ECHO, 'ask', port], { cores: GENERATOR_CORE }));
    for (let reading = 0; reading < FIRST_READINGS; reading++) await gauge.read();
    return gauge;
  }

  /** Best of all readings, echoes a second. */
  get best(): number {
    return this.#best;
  }

  /** Echoes a second, now. */
  async read(): Promise<number> {
    const perSecond = Number(await this.#client.ask('now'));
    this.#best = Math.max(this.#best, perSecond);
    return perSecond;
  }

  isSlow(perSecond: number): boolean {
    return perSecond < this.#best * LEAST_PART;
  }

  async close(): Promise<void> {
    await this.#client.end();
    await this.#server.end();
  }
}
