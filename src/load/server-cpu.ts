// How long has the processor worked for other processes of this machine? Linux tells it in /proc.

import { readFileSync } from 'node:fs';

/** Where the two times stand behind the name of the program, in ticks: proc_pid_stat(5), fields 14 and 15. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;
/** The kernel tells user space hundredths of a second, whatever its own clock. */
const TICKS_PER_SECOND = 100;

/** Seconds of all these processes with all their threads; null where the system does not tell. */
export function processSeconds(pids: readonly number[]): number | null {
  if (pids.length === 0) return null;
  try {
    return pids.reduce((sum, pid) => sum + ticksOf(readFileSync(`/proc/${pid}/stat`, 'utf8')), 0) / TICKS_PER_SECOND;
  } catch {
    return null;
  }
}

function ticksOf(stat: string): number {
  // The name is in parentheses and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS]);
}
