// Each limit of src/protocol/limits.ts is gone past by a test that sees what then happens (test/support/hits-limit.ts).
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as limits from '../src/protocol/limits.ts';
import { limitsHitIn } from './support/limits-hit-in.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** By name, the files with a test that hits it. What real peers and kill tests see does not count: `npm test` has neither. */
function limitsHit(): ReadonlyMap<string, readonly string[]> {
  const hit = new Map<string, string[]>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = relative(folder, join(entry.parentPath, entry.name));
    if (!entry.name.endsWith('.test.ts') || path.startsWith('interop') || path.startsWith('kill')) continue;
    for (const name of limitsHitIn(readFileSync(join(folder, path), 'utf8')))
      hit.set(name, [...(hit.get(name) ?? []), path]);
  }
  return hit;
}

describe('the limits', () => {
  // Whatever limits.ts exports: a new group of limits is asked for, too.
  const names = Object.values(limits).flatMap((group) => Object.keys(group));
  const hit = limitsHit();

  it('are known to this test', () => {
    expect(names).toEqual(expect.arrayContaining(['maxBodyBytes', 'maxEndedOperations', 'maxQueuedWrites']));
  });

  it.each(names)('%s is gone past by a test', (name) => {
    expect(hit.get(name) ?? [], `a test that begins with hitsLimit('${name}')`).not.toEqual([]);
  });

  it('that tests name are all there', () => {
    expect([...hit.keys()].filter((name) => !names.includes(name))).toEqual([]);
  });
});

describe('a test', () => {
  it.each([
    ["it('is refused', () => {\n  hitsLimit('maxLinks');\n", ['maxLinks']],
    ["test('x', async () => {\n    hitsLimit('maxReads', 'maxNodes');", ['maxReads', 'maxNodes']],
    ["it.each([1])('x', (n) => {\n  hitsLimit('maxReads');", ['maxReads']],
    ["it.each([1])(\n  'x',\n  async (n) => {\n    hitsLimit('maxReads');", ['maxReads']],
    ["const helper = () => {\n  hitsLimit('maxLinks');", []],
    ["// hitsLimit('maxLinks');", []],
    ["const text = `\n  hitsLimit('maxLinks');`;", []],
    ["function helper() {\n  hitsLimit('maxLinks');", []],
    ["it('x', () => {\n  expect(1).toBe(1);\n  hitsLimit('maxLinks');", []],
  ])('names limits in the first line of its body: %j', (text, names) => {
    expect(limitsHitIn(text)).toEqual(names);
  });
});
