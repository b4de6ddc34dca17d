// What becomes of text that is unsafe, of streams that are slow or gone, and of notices for those who ask for them?

import { Writable } from 'node:stream';

import { describe, expect, it } from 'vitest';

import { printable } from '../../src/cli/printable.ts';
import { ProcessOutput } from '../../src/cli/process-output.ts';
import { sentenceOf, stackOf } from '../../src/cli/fault.ts';
import { LocalProtocolError, StatusError } from '../../src/protocol/index.ts';
import { run, serve } from './support.ts';

describe('text from a peer', () => {
  it('cannot steer the terminal', () => {
    expect(printable('a\u001b[2Jb\u0007\u009bc\u202ed\u0000')).toBe('a\\u{1b}[2Jb\\u{7}\\u{9b}c\\u{202e}d\\u{0}');
  });

  it('keeps its letters, lines and tabs', () => {
    expect(printable("21 °C\t'x' \\ 😀\n")).toBe("21 °C\t'x' \\ 😀\n");
  });
});

/** A stream that takes nothing until it is told to. */
class SlowStream extends Writable {
  readonly isTTY = true;
  readonly columns = 132;
  readonly #pending: (() => void)[] = [];
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    this.#pending.push(done);
  }

  take(): void {
    for (let done = this.#pending.shift(); done !== undefined; done = this.#pending.shift()) done();
  }
}

function outputTo(stream: SlowStream) {
  let count = 0;
  const faults: string[] = [];
  // A terminal's stream as far as it is used.
  const output = new ProcessOutput(
    stream as unknown as NodeJS.WriteStream,
    () => count++,
    ({ message }) => faults.push(message),
  );
  return { output, goneCount: () => count, faults };
}

describe('the output of the process', () => {
  it('is as wide as the terminal', () => {
    const { output } = outputTo(new SlowStream());
    expect([output.isTerminal, output.columns]).toEqual([true, 132]);
  });

  it('makes its writer wait for a slow reader, but not for little', async () => {
    const stream = new SlowStream();
    const { output } = outputTo(stream);
    output.write('first');
    await output.drained();
    output.write('x'.repeat(100_000));
    let isDrained = false;
    const drained = output.drained().then(() => (isDrained = true));
    await new Promise(setImmediate);
    expect(isDrained).toBe(false);
    stream.take();
    await drained;
    expect(stream.text).toHaveLength(100_005);
  });

  it('tells once that its reader is gone, and takes what is written after that', async () => {
    const stream = new SlowStream();
    const { output, goneCount, faults } = outputTo(stream);
    output.write('x'.repeat(100_000));
    const drained = output.drained();
    stream.destroy(Object.assign(new Error('broken pipe'), { code: 'EPIPE' }));
    await drained;
    output.write('more');
    await output.drained();
    expect(goneCount()).toBe(1);
    expect(faults).toEqual([]);
  });

  it('tells each time that something else is in the way, such as a full disk', () => {
    const stream = new SlowStream();
    const { output, goneCount, faults } = outputTo(stream);
    for (let count = 0; count < 2; count++) {
      stream.emit('error', Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }));
      output.write('more');
    }
    expect(faults).toEqual(['no space left on device', 'no space left on device']);
    expect(goneCount()).toBe(0);
  });
});

describe('an error', () => {
  it('of a service comes with its call tree, if it sent one', () => {
    expect(sentenceOf(new StatusError('no beam', 'line 7'))).toBe('no beam (line 7)');
    expect(sentenceOf(new StatusError('no beam'))).toBe('no beam');
  });

  it('of the system is no internal error, anything else is', () => {
    const system = Object.assign(new Error('connect ECONNREFUSED'), { syscall: 'connect' });
    expect(sentenceOf(system)).toBe('connect ECONNREFUSED');
    expect(sentenceOf('text')).toBe('internal error: text; -d shows where');
  });

  it('shows its stack with those of its causes', () => {
    const stack = stackOf(new LocalProtocolError('outer', { cause: new RangeError('inner') }));
    expect(stack).toMatch(/^LocalProtocolError: outer\n {4}at [^]*\ncaused by RangeError: inner\n {4}at /u);
    expect(stackOf('text')).toBe('text');
  });
});

it('-d tells what happens', async () => {
  const server = await serve(['-d', '--pv', 'lab:x=int']);
  const { stderr, exitCode } = await run(['get', '-d', 'lab:x'], { environment: server.environment });
  expect(stderr).toMatch(/ (debug|info): .*127\.0\.0\.1:\d+/u);
  expect(exitCode).toBe(0);
  expect(await server.stop()).toBe(0);
  expect(server.stderr.text).toMatch(/"level":30,.*connected"/u);
});
