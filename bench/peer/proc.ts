// What does the system know about a process? Linux tells in `/proc`.

import { readFileSync } from 'node:fs';

/** Bytes of memory that a process holds; undefined where the system does not tell. */
export function residentBytes(pid: number): number | undefined {
  try {
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  } catch {
    return undefined; // no /proc here
  }
}

/** The process and those that it started: `pvkit serve --workers` answers with them. */
export function processesOf(pid: number): readonly number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return [pid, ...children.split(' ').filter(Boolean).map(Number)];
  } catch {
    return [pid]; // no /proc here, or a kernel that does not tell
  }
}
