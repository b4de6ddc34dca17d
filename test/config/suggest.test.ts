// Which known word an unknown one is taken for.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { didYouMean, suggest } from '../../src/config/suggest.ts';

const KEYS = ['name', 'tcp_port', 'udp_port', 'interfaces', 'auto_beacon', 'low', 'high'];

describe('an unknown word', () => {
  it.each([
    ['nmae', 'name'],
    ['tcpPort', 'tcp_port'],
    ['TCP-PORT', 'tcp_port'],
    ['udp_prot', 'udp_port'],
    ['interface', 'interfaces'],
    ['hgih', 'high'],
    ['lo', undefined],
    ['xx', undefined],
    ['completely_different', undefined],
    ['', undefined],
    ['x'.repeat(1_000_000), undefined],
  ])('%s is taken for %s', (word, known) => {
    expect(suggest(word, KEYS)).toBe(known);
  });

  it('is answered with a question, or with nothing', () => {
    expect(didYouMean('nmae', KEYS)).toBe('; did you mean "name"?');
    expect(didYouMean('zzz', KEYS)).toBe('');
  });

  it('is taken for the nearest, as a table of all changes says it', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 14 });
    fc.assert(
      fc.property(text, fc.array(text, { maxLength: 5 }), (word, known) => {
        const most = Math.min(3, Math.floor(word.length / 3));
        const least = Math.min(...known.map((each) => plainDistance(word, each)));
        const nearest =
          least > most && least > 0 ? undefined : known.find((each) => plainDistance(word, each) === least);
        expect(suggest(word, known)).toBe(nearest);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is looked for among many long ones in no time', () => {
    const known = Array.from({ length: 20_000 }, (_, index) => `LAB:MAGNET:${index}:`.padEnd(100, 'CURRENT:'));
    const before = process.cpuUsage();
    expect(suggest('LAB:MAGNET:777x:'.padEnd(100, 'CURRENT:'), known)).toBe(known[7770]);
    expect(process.cpuUsage(before).user).toBeLessThan(2_000_000);
  });
});

/** Changes from one word to the other, a swap of neighbours being one. */
function plainDistance(a: string, b: string): number {
  const rows: number[][] = [];
  for (let row = 0; row <= a.length; row++) {
    const cells: number[] = [];
    rows.push(cells);
    for (let column = 0; column <= b.length; column++) {
      const at = (up: number, left: number): number => rows[row - up]?.[column - left] ?? Number.POSITIVE_INFINITY;
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const change = a[row - 1] === b[column - 1] ? 0 : 1;
      const cost = Math.min(at(1, 1) + change, at(1, 0) + 1, at(0, 1) + 1, isSwap ? at(2, 2) + 1 : Infinity);
      cells.push(row === 0 && column === 0 ? 0 : cost);
    }
  }
  return rows[a.length]?.[b.length] ?? Number.NaN;
}
