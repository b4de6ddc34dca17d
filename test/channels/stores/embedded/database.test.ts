// What does a commit that does not hold leave behind, with LMDB itself and a disk that takes no more? In a process of its
// own, whose files may not grow past a size.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPackage, type BuiltPackage } from '../../../support/built-package.ts';

/** Of what `ulimit -f` counts in: half of a KiB. */
const MOST_BLOCKS = 200;

const SCRIPT = `
const { RecordDatabase } = await import(process.argv[1]);
const said = [];
process.on('unhandledRejection', (thrown) => said.push('unhandled: ' + thrown.message));
const say = (what, promise) => promise.then(
  () => said.push(what + ' held'),
  (thrown) => said.push(what + ' failed: ' + thrown.message),
);
const database = await RecordDatabase.open(process.argv[2]);
const commit = (segment, length) => database.commit([['value', 'a', new Uint8Array(length)]], { segment, group: 1 });
await say('small', commit(1, 10));
await say('large', commit(2, 1_000_000));
await say('large again', commit(2, 1_000_000));
said.push('segment ' + database.position.segment);
if (process.argv[3] === 'mended') await say('small again', commit(3, 10));
await say('close', database.close());
await new Promise(setImmediate);
console.log(JSON.stringify(said));
`;

let built: BuiltPackage;
let folder = '';

beforeAll(() => {
  built = buildPackage();
  folder = mkdtempSync(join(tmpdir(), 'pvkit-database-'));
}, 60_000);

afterAll(() => {
  built.remove();
  rmSync(folder, { recursive: true });
});

function run(file: string, how: string): unknown {
  const module = pathToFileURL(join(built.folder, 'dist/channels/stores/embedded/database.js')).href;
  const words = [process.execPath, '--input-type=module', '-e', SCRIPT, module, join(folder, file), how];
  const { stdout, stderr, status } = spawnSync('sh', ['-c', `ulimit -f ${MOST_BLOCKS}; exec "$@"`, 'sh', ...words], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  if (status !== 0) throw new Error(`it ended with ${status}: ${stderr}`);
  const said: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  return said;
}

describe('a database that cannot be written', () => {
  it('says why, is no fault of the program, and takes the next commit when it can', () => {
    expect(run('one.mdb', 'mended')).toEqual([
      'small held',
      'large failed: Input/output error',
      'large again failed: Input/output error',
      'segment 1',
      'small again held',
      'close held',
    ]);
  });

  it('can be closed', () => {
    expect(run('two.mdb', '')).toContain('close held');
  });
});
