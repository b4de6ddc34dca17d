// Does only a terminal get colours, and do columns stand in line?

import { describe, expect, it } from 'vitest';

import { columns, paintOf } from '../../src/cli/paint.ts';
import { timeStampText, timeText } from '../../src/cli/time-text.ts';
import { MemoryOutput } from './support.ts';

describe('colours', () => {
  it.each([
    ['on a terminal', true, {}, true],
    ['in a pipe', false, {}, false],
    ['with NO_COLOR', true, { NO_COLOR: '1' }, false],
    ['with an empty NO_COLOR, which counts as not set', true, { NO_COLOR: '' }, true],
    ['on a dumb terminal', true, { TERM: 'dumb' }, false],
  ])('%s', (_where, isTerminal, environment, isOn) => {
    const paint = paintOf(new MemoryOutput({ isTerminal }), environment);
    expect(paint.isOn).toBe(isOn);
    expect(paint.red('x')).toBe(isOn ? '\u001b[31mx\u001b[39m' : 'x');
    expect(paint.bold('')).toBe('');
  });
});

describe('columns', () => {
  it('are as wide as their widest cell, the last is not padded', () => {
    expect(
      columns([
        ['a', 'bbb', 'c'],
        ['aaaa', 'b', 'cc'],
      ]),
    ).toBe('a     bbb  c\naaaa  b    cc\n');
  });

  it('have at least the width that is asked for', () => {
    expect(columns([['a', 'b']], [3])).toBe('a    b\n');
    expect(columns([['a', '']], [3])).toBe('a\n');
  });
});

describe('a time', () => {
  it('is local, with milliseconds', () => {
    const wall = new Date(2026, 10, 21, 2, 0, 5, 7);
    expect(timeText(wall.getTime())).toBe('2026-11-21 02:00:05.007');
    expect(timeStampText(BigInt(wall.getTime() - 7) / 1000n, 7_999_999)).toBe('2026-11-21 02:00:05.007');
  });

  it('past what a calendar knows is undefined', () => {
    expect(timeStampText(9_000_000_000_000_000n, 0)).toBe('<undefined>');
  });
});
