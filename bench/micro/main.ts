// `npm run bench`: how fast are the parts on the hot paths, each beside the plain way to do the same?
//
//   npm run bench -- [--only SUBJECT]... [--json] [--quick]

import process from 'node:process';
import { parseArgs } from 'node:util';
import { columns } from '../columns.ts';
import { withUnit } from '../figure-text.ts';
import { arrays } from './arrays.ts';
import { bitSet } from './bit-set.ts';
import { channels } from './channels.ts';
import { clientGet } from './client-get.ts';
import { encodedCache } from './encoded-cache.ts';
import { fanOut } from './fan-out.ts';
import { framer } from './framer.ts';
import { get } from './get.ts';
import { put } from './put.ts';
import { measureLine, type Measured, type Timing } from './measure.ts';
import { scalars } from './scalars.ts';
import { search } from './search.ts';
import type { Subject } from './subject.ts';

const SUBJECTS: Readonly<Record<string, Subject>> = {
  framer,
  scalars,
  arrays,
  'bit-set': bitSet,
  'encoded-cache': encodedCache,
  'fan-out': fanOut,
  get,
  put,
  search,
  channels,
  'client-get': clientGet,
};

const WHOLE: Timing = { rounds: 7, roundMs: 120 };
/** Only whether everything works and agrees with its twin. */
const QUICK: Timing = { rounds: 1, roundMs: 5 };

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: Object.keys(SUBJECTS) },
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
});
const unknown = values.only.filter((name) => !Object.hasOwn(SUBJECTS, name));
if (unknown.length > 0) {
  process.stderr.write(`no subject ${unknown.join(', ')}, one of ${Object.keys(SUBJECTS).join(', ')} expected\n`);
  process.exit(2);
}

const measured: Measured[] = [];
for (const name of values.only) {
  for (const line of (await SUBJECTS[name]?.()) ?? []) {
    measured.push(await measureLine(line, values.quick ? QUICK : WHOLE));
    if (process.stderr.isTTY) process.stderr.write(`${line.name}\n`);
  }
}
process.stdout.write(`${values.json ? JSON.stringify(measured, undefined, 2) : tableOf(measured)}\n`);
// Servers in memory have timers of their own.
process.exit(0);

function tableOf(lines: readonly Measured[]): string {
  const head = ['work', 'a second', '+-', 'x plain', '(min .. max)', 'fast path'];
  const rows = lines.map(({ name, perSecond, ratio, fastPath }) => [
    name,
    withUnit(perSecond.median, ''),
    `${(((perSecond.max - perSecond.min) / perSecond.median) * 50).toFixed(0)} %`,
    ratio ? ratio.median.toFixed(2) : '',
    ratio ? `(${ratio.min.toFixed(2)} .. ${ratio.max.toFixed(2)})` : '',
    fastPath ?? '',
  ]);
  return columns([head, ...rows], { left: [0, 4, 5] });
}
