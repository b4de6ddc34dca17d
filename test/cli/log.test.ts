// Does the log of a server stay a line for each entry, whatever clients say?

import { expect, it } from 'vitest';

import { Log } from '../../src/cli/log.ts';
import { systemClock } from '../../src/index.ts';
import { MemoryOutput } from './support.ts';

it('shows the text of a client on one line of a terminal, its control characters as such', () => {
  const stderr = new MemoryOutput({ isTerminal: true });
  const log = new Log('lab', 'info', { stderr, clock: systemClock, environment: { NO_COLOR: '1' } });
  log.write({ level: 'info', text: 'client: hello\n2026-01-01 00:00:00.000 error: all is lost\u001b[2J' });
  expect(stderr.lines).toHaveLength(1);
  expect(stderr.lines[0]).toMatch(/ info: client: hello 2026-01-01 00:00:00.000 error: all is lost\\u\{1b\}\[2J$/u);
});
