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
