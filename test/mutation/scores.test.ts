// Is a score of mutation tests counted and compared rightly, and by the tests of the right files?
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { mutableFiles, ownTests } from '../../scripts/mutation/own-tests.mjs';
import { fallOf, scoreOf, tableOf, tallyOf } from '../../scripts/mutation/scores.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tally = (killed: number, survived: number) => ({ killed, timedOut: 0, survived, uncovered: 0, unmeasured: 0 });

describe('a score', () => {
  it('counts what tests notice, of what they could', () => {
    const statuses = ['Killed', 'Killed', 'Timeout', 'Survived', 'NoCoverage', 'Ignored', 'CompileError'];
    const counted = tallyOf(statuses.map((status) => ({ status })));
    expect(counted).toEqual({ killed: 2, timedOut: 1, survived: 1, uncovered: 1, unmeasured: 2 });
    expect(scoreOf(counted)).toBe(60);
  });

  it('is none where nothing is measured', () => {
    const nothing = tallyOf([{ status: 'Ignored' }]);
    expect(scoreOf(nothing)).toBeUndefined();
    expect(tableOf({ 'src/a.ts': nothing }).split('\n').at(-1)).toBe(
      'src/a.ts           -          0          0          0          0          1',
    );
    expect(fallOf(tally(1, 1), nothing)).toBeUndefined();
    expect(fallOf(nothing, tally(1, 1))).toBe('nothing is measured, it was 50.00 %');
  });
});

describe('a score that falls', () => {
  it.each([
    [tally(9, 1), undefined, undefined],
    [tally(9, 1), tally(9, 1), undefined],
    [tally(10, 0), tally(9, 1), undefined],
    // More code that is tested as well as before.
    [tally(18, 2), tally(9, 1), undefined],
    [tally(9, 2), tally(9, 1), '81.82 %, it was 90.00 %'],
    [{ ...tally(9, 0), uncovered: 2 }, tally(9, 1), '81.82 %, it was 90.00 %'],
  ])('is told: %j after %j', (now, before, told) => {
    expect(fallOf(now, before)).toBe(told);
  });
});

it('is printed for each file, and for all of them together', () => {
  expect(tableOf({ 'src/a.ts': tally(9, 1), 'src/longer.ts': tally(0, 10) }).split('\n')).toEqual([
    'file              score %     killed  timed out   survived  uncovered unmeasured',
    'src/a.ts            90.00          9          0          1          0          0',
    'src/longer.ts        0.00          0          0         10          0          0',
    'all                 45.00          9          0         11          0          0',
  ]);
  expect(tableOf({ 'src/a.ts': tally(9, 1) }).split('\n')).toHaveLength(2);
});

describe('the tests of a file', () => {
  it.each([
    ['src/protocol/status.ts', 'test/protocol/status.test.ts'],
    ['src/protocol/machines/monitor-queue.ts', 'test/protocol/machines/monitor-queue.test.ts'],
    ['src/protocol/values/coerce.ts', 'test/protocol/coerce.test.ts'],
  ])('are those of its name: %s', (file, test) => {
    expect(ownTests(file)).toEqual([test]);
  });

  it('are not those of another file of its name', () => {
    expect(ownTests('src/protocol/text.ts')).toEqual(['test/protocol/text.test.ts']);
    expect(ownTests('src/protocol/types/text.ts')).toContain('test/protocol/type-text.test.ts');
    expect(ownTests('src/protocol/types/text.ts')).not.toContain('test/protocol/text.test.ts');
  });

  it('are those that import it, where none has its name', () => {
    expect(ownTests('src/protocol/normative/nt-uri.ts')).toContain('test/protocol/normative-values.test.ts');
    expect(ownTests('src/protocol/normative/nt-uri.ts')).not.toContain('test/protocol/status.test.ts');
  });

  it('are those of what imports it, where none does', () => {
    expect(ownTests('src/protocol/messages/get.ts')).toContain('test/protocol/messages.test.ts');
  });

  it.each(mutableFiles())('are there for %s', (file) => {
    const tests = ownTests(file);
    expect(tests.length).toBeGreaterThan(0);
    expect(tests.filter((test) => !existsSync(`${root}${test}`))).toEqual([]);
  });
});

it('has a floor for files that are there, and in order', () => {
  const baseline: unknown = JSON.parse(readFileSync(`${root}test/mutation/baseline.json`, 'utf8'));
  const files = Object.keys(baseline ?? {});
  expect(files.length).toBeGreaterThan(0);
  expect(files.filter((file) => !mutableFiles().includes(file))).toEqual([]);
  expect(files.toSorted()).toEqual(files);
});
