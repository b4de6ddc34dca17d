// Which PVs does `bench:put{0..99}` stand for?

import { InvalidArgumentError } from 'commander';

import { pvNameOf } from './options.ts';

/** More names than this do not fit one link. */
const MAX_NAMES = 100_000;

/** Adds the names that a word stands for; as many digits as the longer end has, if one begins with 0. */
export function loadNamesOf(text: string, before: readonly string[] = []): readonly string[] {
  const [, head = '', first, last, tail = ''] = /^(.*?)\{(\d{1,9})\.\.(\d{1,9})\}(.*)$/u.exec(text) ?? [];
  if (first === undefined || last === undefined) return [...before, pvNameOf(text)];
  const [from, to] = [Number(first), Number(last)];
  const count = to - from + 1;
  if (count < 1 || before.length + count > MAX_NAMES) {
    throw new InvalidArgumentError(`Expected a range that goes up and stands for at most ${MAX_NAMES} names.`);
  }
  const digits = first.startsWith('0') || last.startsWith('0') ? Math.max(first.length, last.length) : 0;
  const width = first === '0' && !last.startsWith('0') ? 0 : digits;
  return Array.from(
    { length: count },
    (_, index) => `${head}${String(from + index).padStart(width, '0')}${tail}`,
  ).reduce((names, name) => loadNamesOf(name, names), before);
}
