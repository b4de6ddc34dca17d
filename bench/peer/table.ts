// How does a person read the outcome? One line for each row, under one head.

import type { Row } from './row.ts';
import type { Spread } from './statistics.ts';

const HEAD = ['work', 'pvkit', 'pvxs', 'ratio', '(min .. max)', 'target', ''];

/** Lines without the last line break. */
export function tableOf(rows: readonly Row[]): string {
  const cells = [HEAD, ...rows.map((row) => cellsOf(row))];
  const widths = HEAD.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => align(cell, widths[column] ?? 0, column))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function cellsOf({ name, unit, pvkit, pvxs, ratio, target, isReached, faults, notes }: Row): readonly string[] {
  const verdict =
    faults.length > 0 ? `INVALID: ${faults.join(', ')}` : isReached === false ? 'missed' : isReached ? 'reached' : '';
  const bound = target && `${target.bound === 'atLeast' ? '>=' : '<='} ${target.value}${ratio ? '' : ` ${unit}`}`;
  return [
    name,
    withUnit(pvkit.median, unit),
    pvxs ? withUnit(pvxs.median, unit) : '',
    ratio ? ratioText(ratio.median) : '',
    spreadText(ratio ?? pvkit),
    bound ?? '',
    [verdict, ...notes].filter((text) => text !== '').join('; '),
  ];
}

function spreadText({ min, max }: Spread): string {
  return `(${ratioText(min)} .. ${ratioText(max)})`;
}

function ratioText(ratio: number): string {
  return ratio >= 1000 ? withUnit(ratio, '') : ratio.toFixed(ratio < 10 ? 2 : 1);
}

/** Three digits that mean something. */
export function withUnit(figure: number, unit: string): string {
  const [scale, prefix] =
    figure >= 1e9 ? [1e9, 'G'] : figure >= 1e6 ? [1e6, 'M'] : figure >= 1e4 ? [1e3, 'k'] : [1, ''];
  const scaled = figure / scale;
  const digits = scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2;
  return `${scaled.toFixed(digits)} ${prefix}${unit}`.trimEnd();
}

function align(cell: string, width: number, column: number): string {
  return column === 0 || column >= 4 ? cell.padEnd(width) : cell.padStart(width);
}
