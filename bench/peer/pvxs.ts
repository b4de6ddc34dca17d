// Where does the server of pvxs come from? The Python registry has its library and its headers (`.venv`), and a C++
// compiler, if there is one, makes a server of them; else p4p has one in Python.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.ts';

const VENV = join(ROOT, '.venv');
const PYTHON = join(VENV, 'bin', 'python');
const SOURCES = join(ROOT, 'bench', 'peer');
const PROGRAM = join(VENV, 'bench', 'pvxs-server');

export interface PvxsServer {
  readonly command: readonly string[];
  /** How it was made, for the results. */
  readonly kind: 'C++' | 'p4p';
  readonly version: string;
}

export function pvxsServer(): PvxsServer {
  const version = python("from importlib.metadata import version; print(version('pvxslibs'))");
  return hasCompiled() ? { command: [PROGRAM], kind: 'C++', version } : { command: fallback(), kind: 'p4p', version };
}

function hasCompiled(): boolean {
  const source = join(SOURCES, 'pvxs-server.cpp');
  if (existsSync(PROGRAM) && statSync(PROGRAM).mtimeMs > statSync(source).mtimeMs) return true;
  const packages = python("import sysconfig; print(sysconfig.get_path('platlib'))");
  const base = join(packages, 'epicscorelibs');
  const pvxs = join(packages, 'pvxslibs');
  const libraries = python(
    'import glob, sys; print(*(sorted(glob.glob(pattern))[-1] for pattern in sys.argv[1:]), sep="\\n")',
    join(pvxs, 'lib', 'libpvxs.so.*'),
    join(base, 'lib', 'libCom.so.*'),
  ).split('\n');
  mkdirSync(join(VENV, 'bench'), { recursive: true });
  const { status, error, stderr } = spawnSync(
    process.env['CXX'] ?? 'g++',
    [
      '-O2',
      '-std=c++14',
      '-pthread',
      // The wheels are built for systems of 2014.
      '-D_GLIBCXX_USE_CXX11_ABI=0',
      ...['include', 'include/os/Linux', 'include/compiler/gcc'].map((folder) => `-I${join(base, folder)}`),
      `-I${join(pvxs, 'include')}`,
      source,
      '-o',
      PROGRAM,
      ...libraries,
      `-Wl,-rpath,${join(pvxs, 'lib')}:${join(base, 'lib')}`,
      '-Wl,--allow-shlib-undefined',
    ],
    { encoding: 'utf8' },
  );
  if (status === 0) return true;
  const why = error?.message ?? stderr.split('\n').slice(0, 3).join('; ');
  process.stderr.write(`pvkit: no C++ server of pvxs (${why}); its puts and posts go through Python then\n`);
  return false;
}

function fallback(): readonly string[] {
  return [PYTHON, join(SOURCES, 'pvxs-server.py')];
}

function python(code: string, ...words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(PYTHON, ['-c', code, ...words], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${PYTHON} of scripts/python-peers.mjs was expected: ${stderr}`);
  return stdout.trim();
}
