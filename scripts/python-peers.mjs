// Gives the interoperability tests their peers: a Python environment `.venv` with the packages that
// test/interop/requirements.txt pins (p4p, and with it pvxs, EPICS base and a softIoc). Does nothing when it is there.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const venv = join(root, '.venv');
const python = process.platform === 'win32' ? join(venv, 'Scripts', 'python.exe') : join(venv, 'bin', 'python');
const requirementsFile = join(root, 'test', 'interop', 'requirements.txt');
const stampFile = join(venv, 'pvkit-requirements.txt');

const wanted = readFileSync(requirementsFile, 'utf8');
const present = existsSync(stampFile) && existsSync(python) ? readFileSync(stampFile, 'utf8') : '';
if (present !== wanted) {
  process.stderr.write('pvkit: installing the Python peers into .venv\n');
  // A half-made environment, or one of a Python that is gone, is not worth mending.
  rmSync(venv, { recursive: true, force: true });
  run(process.env['PYTHON'] ?? (process.platform === 'win32' ? 'python' : 'python3'), ['-m', 'venv', venv]);
  run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirementsFile]);
  run(python, ['-c', 'import p4p.client.thread']);
  writeFileSync(stampFile, wanted);
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  process.stderr.write(
    `pvkit: \`${command} ${args.join(' ')}\` ended with ${error?.message ?? `exit code ${status}`}. ` +
      'Expected: Python 3.9 or newer with the venv module, and a package registry within reach.\n',
  );
  process.exit(1);
}
