// How does a person read the outcome? One line for each row, under one head.

import { columns } from '../columns.ts';
import { withUnit } from '../figure-text.ts';
import type { Row } from './row.ts';
import type { Spread } from '../statistics.ts';

const HEAD = ['work', 'pvkit', 'pvxs', 'ratio', '(min .. max)', 'target', ''];

/** Lines without the last line break. */
export function tableOf(rows: readonly Row[]): string {
  return columns([HEAD, ...rows.map((row) => cellsOf(row))], { left: [0, 4, 5, 6] });
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
