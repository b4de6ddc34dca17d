// What did `pvkit load` find? Its report, once it is known that every value was right.

import { z } from 'zod';
import { Child } from './child.ts';
import type { Cores } from './cores.ts';

const count = z.number().nonnegative();

const loadReport = z.object({
  scenario: z.string(),
  clients: count,
  depth: count,
  names: count,
  seconds: count,
  operations: count,
  perSecond: count,
  latencyUs: z.object({ min: count, p50: count, p90: count, p99: count, p999: count, max: count }),
  bytes: count,
  bytesPerSecond: count,
  wrong: count,
  lost: count,
  squashed: count,
  errors: count,
  serverCpuSeconds: count.nullish(),
  perServerCpuSecond: count.nullish(),
  clientCpuSeconds: count,
});

export type LoadReport = z.infer<typeof loadReport>;

/** A report of `pvkit load`, and what is wrong with it. */
export interface Loaded {
  readonly report: LoadReport;
  /** Why its figures do not count; empty when they do. */
  readonly faults: readonly string[];
}

/** Runs `pvkit load WORDS --json` to its end. @throws Error when it brings no report */
export async function load(words: readonly string[], cores: Cores): Promise<Loaded> {
  const child = new Child([process.execPath, 'dist/cli/main.js', 'load', ...words, '--json'], { cores });
  const { code, text, stderr } = await child.rest();
  return judged(text, code, stderr);
}

export function judged(text: string, code: number | null, stderr: string): Loaded {
  const { success, data, error } = loadReport.safeParse(lastJson(text));
  if (!success) {
    throw new Error(`pvkit load ended with ${code} and no report: ${stderr.trim()} ${z.prettifyError(error)}`);
  }
  const faults = (['wrong', 'lost', 'errors'] as const).flatMap((what) =>
    data[what] === 0 ? [] : [`${data[what]} ${what}`],
  );
  if (data.operations === 0) faults.push('no operation was done');
  if (code !== 0 && faults.length === 0) faults.push(`exit code ${code}: ${stderr.trim()}`);
  return { report: data, faults };
}

function lastJson(text: string): unknown {
  try {
    return JSON.parse(text.trim().split('\n').at(-1) ?? '');
  } catch {
    return undefined; // told as a report that lacks everything
  }
}
