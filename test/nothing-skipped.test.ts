// Every test runs: none is skipped, left to do, expected to fail, or run in place of the others.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { heldBackIn } from './support/held-back.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** What has a reason, and which. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  // Containers often have no IPv6 at all; the twin in memory has it everywhere.
  'transport/network-suite.ts': ['it.runIf', 'it.runIf'],
};

describe('the tests', () => {
  it('are all run', () => {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => join(entry.parentPath, entry.name))
      // It is about this.
      .filter((file) => relative(folder, file) !== 'nothing-skipped.test.ts');
    expect(files.length).toBeGreaterThan(100);
    const held = files.flatMap((file) => {
      const path = relative(folder, file).split(sep).join('/');
      const found = heldBackIn(readFileSync(file, 'utf8'));
      const allowed = ALLOWED[path] ?? [];
      return found.join() === allowed.join() ? [] : [`${path}: ${found.join(', ')}`];
    });
    expect(held).toEqual([]);
  });
});

describe('a test that is held back', () => {
  it.each([
    "it.skip('x', () => {});",
    "it.only('x', () => {});",
    "test.todo('x');",
    "test.concurrent.only('x', () => {});",
    "describe.skipIf(isSlow)('x', () => {});",
    "describe\n  .skip('x', () => {});",
    "it.runIf(isFast)('x', () => {});",
    "it.fails('x', () => {});",
    'const run = isFast ? it : it.skip;',
    "xit('x', () => {});",
    "fdescribe('x', () => {});",
    "it('x', (context) => {\n  context.skip();\n});",
    "it('x', ({ skip }) => {\n  skip();\n});",
    "it('x', { skip: true }, () => {});",
    "it('x', { timeout: 5, only: isMine }, async () => {});",
    "it.skip.each([1])('x', () => {});",
  ])('is found: %j', (text) => {
    expect(heldBackIn(text)).toHaveLength(1);
  });

  it.each([
    "it('skips what is behind', () => {});",
    'reader.skip(8);',
    "cutter.skip(3, 'not captured');",
    "it.each([1])('x', () => {});",
    "// it.skip('x', () => {});",
    "it('x', { timeout: 5 }, () => {});",
    'const reader = { skip: 1 };',
    "describe.each([1])('only %s', () => {});",
    'expect(limits.only).toBe(1);',
  ])('is not: %j', (text) => {
    expect(heldBackIn(text)).toEqual([]);
  });
});
