// Does `npm run bench` still run, and does every fast path agree with its plain twin? How fast they are is for people.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

it('the micro-benchmarks run, and each line does the same as its plain twin', () => {
  const words = ['scripts/prepare.mjs', '--bench', 'micro/main', '--quick', '--json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: root, encoding: 'utf8' });
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  const lines: unknown = JSON.parse(stdout);
  expect(lines).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ name: 'framer: GETs, 1000 a chunk' }),
      expect.objectContaining({ name: 'channel: create and destroy, 1000 pipelined' }),
    ]),
  );
}, 60_000);
