// Which PVs does `bench:put{0..99}` stand for?

import { InvalidArgumentError } from 'commander';

import { DEFAULT_LIMITS } from '../protocol/index.ts';
import { pvNameOf } from './options.ts';

/** More names than this do not fit one link. */
const MAX_NAMES = 100_000;
/** `{1..9}` stands for one character: no text that is longer for its names can give one that a server could have. */
const RANGE_CHARACTERS = 6;

/** Adds the names that a word stands for; as many digits as the longer end has, if one begins with 0. */
export function loadNamesOf(text: string, before: readonly string[] = []): readonly string[] {
  // Each range is expanded within what those before it made, so that thousands of them would take the stack.
  if (text.length > RANGE_CHARACTERS * DEFAULT_LIMITS.maxNameBytes) return [...before, pvNameOf(text)];
  const names = [...before];
  addNames(text, names);
  return names;
}

/** Into one list: a copy for each name would make a long range take minutes. */
function addNames(text: string, names: string[]): void {
  const [, head = '', first, last, tail = ''] = /^(.*?)\{(\d{1,9})\.\.(\d{1,9})\}(.*)$/u.exec(text) ?? [];
  if (first === undefined || last === undefined) {
    names.push(pvNameOf(text));
    return;
  }
  const [from, to] = [Number(first), Number(last)];
  const count = to - from + 1;
  const digits = first.startsWith('0') || last.startsWith('0') ? Math.max(first.length, last.length) : 0;
  const width = first === '0' && !last.startsWith('0') ? 0 : digits;
  // Ranges within the tail make more of each name, so that the bound is looked at for each.
  for (let index = 0; index < Math.max(1, count); index++) {
    if (count < 1 || names.length + count - index > MAX_NAMES) {
      throw new InvalidArgumentError(`Expected a range that goes up and stands for at most ${MAX_NAMES} names.`);
    }
    addNames(`${head}${String(from + index).padStart(width, '0')}${tail}`, names);
  }
}
