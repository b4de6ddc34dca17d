// Gives the tests of the redis store a real Redis: the `redis-server` of this machine, or Debian's, installed if there is
// none. Prints nothing and does nothing when it is there.
//
// Debian's `redis-tools` holds the program of `redis-server` under another name (the package `redis-server` adds a
// system service, which nobody asked for): a link in `.peers/redis` gives it its name back.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const link = join(root, '.peers', 'redis', 'redis-server');
const sameProgram = '/usr/bin/redis-check-rdb';

if (!runs('redis-server') && !runs(link)) {
  if (!existsSync(sameProgram)) install();
  mkdirSync(dirname(link), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(sameProgram, link);
  if (!runs(link)) stop(`${link} does not run`);
}

function install() {
  process.stderr.write('pvkit: installing redis-tools, which the tests of the redis store need\n');
  // Without being root it takes a sudo that asks no questions: tests run where nobody could answer.
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  run([...sudo, 'apt-get', 'update']);
  run([...sudo, 'apt-get', 'install', '-y', '--no-install-recommends', 'redis-tools']);
}

/** @param {string} program */
function runs(program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** @param {string[]} command */
function run([program = '', ...args]) {
  const { status, error } = spawnSync(program, args, {
    stdio: ['ignore', 2, 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status !== 0) stop(`\`${[program, ...args].join(' ')}\` ended with ${error?.message ?? `exit code ${status}`}`);
}

/** @param {string} why */
function stop(why) {
  process.stderr.write(
    `pvkit: there is no Redis for the tests: ${why}. Expected: redis-server 6.2 or newer on the PATH ` +
      '(Debian: apt-get install redis-server; macOS: brew install redis).\n',
  );
  process.exit(1);
}
