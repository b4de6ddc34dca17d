// What is there of the database, with LMDB itself, after a start that was killed, and on a disk that takes no more? That is
// a process of its own, whose files may not grow past a size.

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { open } from 'lmdb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RecordDatabase } from '../../../../src/channels/stores/embedded/database.ts';
import { buildPackage, type BuiltPackage } from '../../../support/built-package.ts';

/** In what `ulimit -f` counts in: half of a KiB. */
const MOST_BLOCKS = 200;

const SCRIPT = `
const { RecordDatabase } = await import(process.argv[1]);
const said = [];
process.on('unhandledRejection', (thrown) => said.push('unhandled: ' + thrown.message));
const say = (what, promise) => promise.then(
  () => said.push(what + ' held'),
  (thrown) => said.push(what + ' failed: ' + thrown.message),
);
const database = await RecordDatabase.open(process.argv[2]).catch((thrown) => {
  console.log(JSON.stringify(['open failed: ' + thrown.message]));
  process.exit();
});
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

function run(file: string, how: string, mostBlocks = MOST_BLOCKS): unknown {
  const module = pathToFileURL(join(built.folder, 'dist/channels/stores/embedded/database.js')).href;
  const words = [process.execPath, '--input-type=module', '-e', SCRIPT, module, join(folder, file), how];
  const { stdout, stderr, status } = spawnSync('sh', ['-c', `ulimit -f ${mostBlocks}; exec "$@"`, 'sh', ...words], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  if (status !== 0) throw new Error(`it ended with ${status}: ${stderr}`);
  const said: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  return said;
}

describe('a database that is new', () => {
  it('is made in spite of what a start left behind that was killed', async () => {
    const path = join(folder, 'three.mdb');
    const foreign = open({ path: join(folder, 'foreign.mdb') });
    await foreign.close();
    // LMDB's own, without a record of ours; what a loss of power makes of it; and what was to be sure of the room.
    for (const content of [readFileSync(join(folder, 'foreign.mdb')), '', new Uint8Array(65_536)]) {
      writeFileSync(`${path}.new`, content);
      writeFileSync(`${path}.new-lock`, '');
      const database = await RecordDatabase.open(path);
      expect(database.position).toEqual({ segment: 0, group: 0 });
      await database.close();
      const names = readdirSync(folder).filter((name) => name.startsWith('three.mdb'));
      expect(names).toEqual(['three.mdb', 'three.mdb-lock']);
      for (const name of names) rmSync(join(folder, name));
    }
  });

  it('is whole from its first moment: a start that is killed leaves one that opens, or none', async () => {
    const path = join(folder, 'four.mdb');
    const opening = RecordDatabase.open(path);
    while (!existsSync(path)) await new Promise(setImmediate);
    const copy = join(folder, 'five.mdb');
    copyFileSync(path, copy);
    await (await opening).close();
    const found = await RecordDatabase.open(copy);
    expect(found.isOld).toBe(false);
    await found.close();
  });

  it('is not made where there is no room, which is said', () => {
    const said = run('six.mdb', '', 16);
    expect(said).toEqual([expect.stringMatching(/^open failed: .*six\.mdb cannot be made: EFBIG/u)]);
  });
});

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
