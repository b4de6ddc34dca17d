// What does the file of a lock say about the process that holds it?

import { randomUUID } from 'node:crypto';
import { PvaError, reasonOf } from '../../protocol/errors.ts';
import { isoTime } from '../../transport/clocks.ts';
import type { ProcessIdentity } from './lock-machine.ts';

export interface LockHolder extends ProcessIdentity {
  readonly since: string;
}

/** The text of a lock that is taken now. No other lock ever has the same. */
export function lockText(self: ProcessIdentity, wallTimeMs: number): string {
  const holder: LockHolder & { readonly id: string } = { ...self, since: isoTime(wallTimeMs), id: randomUUID() };
  return `${JSON.stringify(holder)}\n`;
}

/** What a file says; undefined where it is not what we write. */
export function holderIn(text: string): LockHolder | undefined {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw new PvaError('WORKSPACE', reasonOf(thrown), { cause: thrown });
  }
  if (typeof found !== 'object' || found === null) return undefined;
  if (!('pid' in found && 'host' in found && 'since' in found)) return undefined;
  const { pid, host, since } = found;
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid < 1) return undefined;
  if (typeof host !== 'string' || typeof since !== 'string') return undefined;
  // Not every system tells these.
  const began = 'began' in found && typeof found.began === 'string' ? found.began : undefined;
  const pidNamespace =
    'pidNamespace' in found && typeof found.pidNamespace === 'string' ? found.pidNamespace : undefined;
  const boot = 'boot' in found && typeof found.boot === 'string' ? found.boot : undefined;
  return { pid, host, since, began, pidNamespace, boot };
}

/**
 * Whether the number of its process says nothing here: it is of another host, of another container, or of another start of
 * the machine, which may be another machine with the same name.
 */
export function isElsewhere(holder: ProcessIdentity, self: ProcessIdentity): boolean {
  return holder.host !== self.host || differ(holder.pidNamespace, self.pidNamespace) || differ(holder.boot, self.boot);
}

export function holderText(holder: LockHolder | undefined): string {
  return holder === undefined
    ? 'somebody who left no name'
    : `process ${holder.pid} on ${holder.host} since ${holder.since}`;
}

function differ(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}
