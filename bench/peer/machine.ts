// On what was it measured? Enough to compare two results, and nothing that tells whose machine it was.

import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { ROOT } from './root.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly platform: string;
  readonly node: string;
}

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
  };
}

/** The commit that is measured, with a `+` when the tree has changes that are in no commit. */
export function thisCommit(): string {
  try {
    const commit = git('rev-parse', '--short=12', 'HEAD');
    return git('status', '--porcelain', '--', 'src', 'bench') === '' ? commit : `${commit}+`;
  } catch {
    return 'unknown'; // a package without its history
  }
}

function git(...words: readonly string[]): string {
  return execFileSync('git', [...words], { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}
