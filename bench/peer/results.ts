// Where do the outcomes stay? In `bench/results/peer.json`, committed: the newest of each row.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Machine } from './machine.ts';
import { ROOT } from './root.ts';
import type { Row } from './row.ts';

export interface Results {
  readonly machine: Machine;
  readonly pvxs: string;
  readonly rows: readonly Row[];
}

export const RESULTS_FILE = join(ROOT, 'bench', 'results', 'peer.json');

/** Rows of another machine, or against another pvxs, would not belong to these: then it begins anew. */
export function keepResults(news: Results): void {
  const known = readResults();
  const isSame = known && isDeepStrictEqual([known.machine, known.pvxs], [news.machine, news.pvxs]);
  const names = new Set(news.rows.map(({ name }) => name));
  const kept = isSame ? known.rows.filter(({ name }) => !names.has(name)) : [];
  const results: Results = { ...news, rows: [...kept, ...news.rows] };
  mkdirSync(dirname(RESULTS_FILE), { recursive: true });
  writeFileSync(RESULTS_FILE, `${JSON.stringify(results, rounded, 2)}\n`);
}

function readResults(): Results | undefined {
  if (!existsSync(RESULTS_FILE)) return undefined;
  // Written above; who edits it by hand reads what he wrote.
  return JSON.parse(readFileSync(RESULTS_FILE, 'utf8')) as Results;
}

/** Digits that mean nothing only make noise in what is committed. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
}
