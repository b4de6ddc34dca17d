// How good are tests, going by the mutants of a file that they notice, and is it worse than it was?

/**
 * What became of the mutants of one file.
 * @typedef {object} Tally
 * @property {number} killed      a test failed
 * @property {number} timedOut    a test did not end, which counts as noticed
 * @property {number} survived    every test passed
 * @property {number} uncovered   no test came by
 * @property {number} unmeasured  at work while modules load, before tests begin, or no program at all; in no score
 */

/**
 * By file, as test/mutation/baseline.json has it.
 * @typedef {Readonly<Record<string, Tally>>} Baseline
 */

/**
 * @param {readonly { readonly status: string }[]} mutants as Stryker tells them
 * @returns {Tally}
 */
export function tallyOf(mutants) {
  /** @param {string} status */
  const count = (status) => mutants.filter((mutant) => mutant.status === status).length;
  const [killed, timedOut, survived, uncovered] = ['Killed', 'Timeout', 'Survived', 'NoCoverage'].map(count);
  const tally = { killed: killed ?? 0, timedOut: timedOut ?? 0, survived: survived ?? 0, uncovered: uncovered ?? 0 };
  const measured = tally.killed + tally.timedOut + tally.survived + tally.uncovered;
  return { ...tally, unmeasured: mutants.length - measured };
}

/**
 * Of those that are measured the part that tests notice, in percent; undefined where there are none.
 * @param {Tally} tally
 */
export function scoreOf({ killed, timedOut, survived, uncovered }) {
  const noticed = killed + timedOut;
  const all = noticed + survived + uncovered;
  return all === 0 ? undefined : (100 * noticed) / all;
}

/**
 * What to say of a file beside what it was before; undefined when it is as good, or better.
 * @param {Tally} now
 * @param {Tally | undefined} before
 */
export function fallOf(now, before) {
  if (before === undefined) return undefined;
  const [score, floor] = [scoreOf(now), scoreOf(before)];
  if (floor === undefined) return undefined;
  if (score === undefined) return `nothing is measured, it was ${floor.toFixed(2)} %`;
  return score < floor ? `${score.toFixed(2)} %, it was ${floor.toFixed(2)} %` : undefined;
}

/**
 * A line for each file and one for all of them.
 * @param {Baseline} tallies
 */
export function tableOf(tallies) {
  const rows = Object.entries(tallies);
  const all = sumOf(Object.values(tallies));
  const width = Math.max(...rows.map(([file]) => file.length), 'file'.length);
  const columns = ['score %', 'killed', 'timed out', 'survived', 'uncovered', 'unmeasured'];
  /** @param {string} name @param {readonly string[]} cells */
  const line = (name, cells) => `${name.padEnd(width)}  ${cells.map((cell) => cell.padStart(10)).join(' ')}`.trimEnd();
  return [
    line('file', columns),
    ...rows.map(([file, tally]) => line(file, cellsOf(tally))),
    ...(rows.length > 1 ? [line('all', cellsOf(all))] : []),
  ].join('\n');
}

/** @param {Tally} tally */
function cellsOf(tally) {
  const { killed, timedOut, survived, uncovered, unmeasured } = tally;
  return [scoreOf(tally)?.toFixed(2) ?? '-', ...[killed, timedOut, survived, uncovered, unmeasured].map(String)];
}

/** @param {readonly Tally[]} tallies @returns {Tally} */
function sumOf(tallies) {
  const sum = { killed: 0, timedOut: 0, survived: 0, uncovered: 0, unmeasured: 0 };
  for (const tally of tallies) {
    sum.killed += tally.killed;
    sum.timedOut += tally.timedOut;
    sum.survived += tally.survived;
    sum.uncovered += tally.uncovered;
    sum.unmeasured += tally.unmeasured;
  }
  return sum;
}
