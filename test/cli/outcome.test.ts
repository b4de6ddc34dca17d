// Does every sentence about a fault say which PV it is about, once?

import { expect, it } from 'vitest';
import { Outcome } from '../../src/cli/outcome.ts';
import { nodeNetwork, systemClock } from '../../src/index.ts';
import { PvaError } from '../../src/protocol/errors.ts';
import { MemoryOutput, nothing } from './support.ts';

it.each([
  ['lab:x', 'lab:x: PUT refused', 'lab:x: PUT refused'],
  ['lab:x', 'host name ioc1 cannot be resolved', 'lab:x: host name ioc1 cannot be resolved'],
  // A name may be what a sentence happens to begin with.
  ['h', 'host name ioc1 cannot be resolved', 'h: host name ioc1 cannot be resolved'],
])('about %s: "%s" is told as "%s"', (name, sentence, told) => {
  const stderr = new MemoryOutput();
  const host = {
    stdin: nothing,
    stdout: new MemoryOutput(),
    stderr,
    environment: {},
    folder: '.',
    interrupt: new AbortController().signal,
    clock: systemClock,
    network: nodeNetwork,
  };
  new Outcome(host, {}).fail(name, new PvaError('X', sentence));
  expect(stderr.lines).toEqual([told]);
});
