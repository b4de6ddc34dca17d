// What is a worker as a process? Its pipe, its signals, its exit code. All else is in worker.ts.

import process from 'node:process';
import { systemClock } from '../../transport/clocks.ts';
import { parentOfWorker } from '../../transport/node-processes.ts';
import { processVitals } from '../../transport/vitals.ts';
import { Worker } from './worker.ts';

const LOST = 1;

// ^C goes to all processes of a terminal, and a service manager may stop them all: the server says when to end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // The server has it too.
  });
}

let isEnding = false;
const connection = parentOfWorker((handed) => worker.accept(handed));
const worker = new Worker({
  connection,
  clock: systemClock,
  vitals: processVitals(),
  ending: () => (isEnding = true),
  // Without its server a worker must not stay: it would serve values that nobody changes any more.
  ended: () => process.exit(isEnding ? 0 : LOST),
});
