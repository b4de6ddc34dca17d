// Which core does who run on? The server has one for itself, the generator another.

import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Cores by number, as `taskset` takes them. */
export type Cores = '0' | '1' | '0,1';

export const SERVER_CORE: Cores = '0';
export const GENERATOR_CORE: Cores = '1';
export const BOTH_CORES: Cores = '0,1';

/** Why nothing can be pinned here; undefined where it can. */
export const whyUnpinned: string | undefined = reason();

/** The command that runs another one on these cores; the process keeps its id, so its time can be read. */
export function pinned(cores: Cores, command: readonly string[]): readonly string[] {
  return whyUnpinned === undefined ? ['taskset', '--cpu-list', cores, ...command] : command;
}

function reason(): string | undefined {
  if (availableParallelism() < 2) return 'there is one core, which server and generator share';
  const { status, stderr } = spawnSync('taskset', ['--cpu-list', BOTH_CORES, 'true'], { encoding: 'utf8' });
  if (status === 0) return undefined;
  return stderr ? `taskset says: ${stderr.trim()}` : 'there is no taskset here';
}
