#!/usr/bin/env node
// The command line as a process: its streams, its signals, its exit code. All else is in program.ts.

import process from 'node:process';
import { addAbortSignal } from 'node:stream';

import { FAILED } from './exit-code.ts';
import { ProcessOutput } from './process-output.ts';
import { runCli } from './program.ts';

/** What a shell says of a program that ^C ended. */
const EXIT_BY_SIGINT = 130;

const interrupt = new AbortController();

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // Whoever asks twice does not want to wait for connections to end in good order.
    if (interrupt.signal.aborted) process.exit(EXIT_BY_SIGINT);
    interrupt.abort(signal);
  });
}

const gone = (): void => interrupt.abort('nobody reads the output');

// What cannot be told ends no server: a log whose disk is full may have room again.
const stderr = new ProcessOutput(process.stderr, gone, () => {});
let isWritten = true;
const stdout = new ProcessOutput(process.stdout, gone, (fault) => {
  interrupt.abort('the output cannot be written');
  if (isWritten) stderr.write(`pvkit: the output cannot be written: ${fault.message}\n`);
  isWritten = false;
});
// It may be found out after all else has ended well.
process.on('exit', () => {
  if (!isWritten) process.exitCode = FAILED;
});

const terminal = {
  // A terminal, and a pipe that stays, would keep whoever waits for it, and the process.
  stdin: () => addAbortSignal(interrupt.signal, process.stdin),
  stdout,
  stderr,
  environment: process.env,
  folder: process.cwd(),
  interrupt: interrupt.signal,
  // Until somebody listens it ends the process, as a closed terminal should.
  onReload: (listener: () => void) => {
    process.on('SIGHUP', listener);
    return () => void process.off('SIGHUP', listener);
  },
  onFault: (listener: (thrown: unknown) => void) => {
    // A rejection that nobody handles comes here, too.
    process.on('uncaughtException', listener);
    return () => void process.off('uncaughtException', listener);
  },
};

// Not process.exit(): what was written to a pipe would be lost.
process.exitCode = await runCli(process.argv.slice(2), terminal, async () => {
  // Loaded when a command is: help and version need none of it.
  const { thisMachine } = await import('./this-machine.ts');
  return thisMachine;
});
