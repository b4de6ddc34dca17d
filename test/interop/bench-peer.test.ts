// Does `npm run bench:peer` still run, with every value right? What the ratios are is for people: nothing is measured here.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const rows = ['get-10x16', 'put-1x16', 'monitor-1x100', 'search-50', 'connect'];

it('pvkit and pvxs do the same work for the generator, and nothing of it is wrong or lost', () => {
  const words = ['scripts/prepare.mjs', '--bench', 'peer/main', '--quick', '--pairs', '1', '--only', rows.join(',')];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: root, encoding: 'utf8' });
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  for (const row of rows) expect(stdout).toMatch(new RegExp(`^${row} +\\d`, 'mu'));
  expect(stdout).not.toContain('INVALID');
}, 90_000);
