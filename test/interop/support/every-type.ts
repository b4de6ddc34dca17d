// Which PVs does `pvkit serve` have to offer, so that there is one of every type that a configuration can name?

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Tagged } from './tagged.ts';

interface Example {
  readonly pvName: string;
  readonly type: string;
  /** The first value, in TOML. */
  readonly toml: string;
  /** What it is then. */
  readonly initial: Tagged;
  /** What to put, and what it is then: the other end of the range, where there is one. */
  readonly put: Tagged;
}

function scalar(type: string, toml: string, initial: Tagged, put: Tagged): Example {
  return { pvName: `every:${type}`, type, toml, initial, put };
}

function array(type: string, dtype: string, toml: string, items: readonly Tagged[], put: readonly Tagged[]): Example {
  return {
    pvName: `every:${type}s`,
    type: `${type}[]`,
    toml,
    initial: dtype === 'string' ? items : { array: dtype, items },
    put: dtype === 'string' ? put : { array: dtype, items: put },
  };
}

const LOWEST_LONG = { int: '-9223372036854775808' };
const HIGHEST_LONG = { int: '9223372036854775807' };
const HIGHEST_ULONG = { int: '18446744073709551615' };
const LARGE = 5_000;
const halves = Array.from({ length: LARGE }, (_, index) => index / 2);
const thirds = Array.from({ length: LARGE }, (_, index) => index / 3);

export const EVERY_TYPE: readonly Example[] = [
  scalar('boolean', 'true', true, false),
  scalar('byte', '-128', -128, 127),
  scalar('ubyte', '255', 255, 0),
  scalar('short', '-32768', -32_768, 32_767),
  scalar('ushort', '65535', 65_535, 0),
  scalar('int', '-2147483648', -2_147_483_648, 2_147_483_647),
  scalar('uint', '4294967295', 4_294_967_295, 0),
  scalar('long', LOWEST_LONG.int, LOWEST_LONG, HIGHEST_LONG),
  // TOML's integers end where those of long do.
  scalar('ulong', HIGHEST_LONG.int, HIGHEST_LONG, HIGHEST_ULONG),
  scalar('float', '0.1', Math.fround(0.1), -1.5),
  scalar('double', '6.02e23', 6.02e23, 5e-324),
  scalar('string', '"Grüße, κόσμε"', 'Grüße, κόσμε', 'say "日本"\nand\ttab'),
  array('boolean', 'bool', '[true, false, true]', [true, false, true], [false]),
  array('byte', 'int8', '[-128, 0, 127]', [-128, 0, 127], [1]),
  array('ubyte', 'uint8', '[0, 255]', [0, 255], [128, 1]),
  array('short', 'int16', '[-32768, 32767]', [-32_768, 32_767], [-1]),
  array('ushort', 'uint16', '[0, 65535]', [0, 65_535], [1, 2, 3]),
  array('int', 'int32', '[-2147483648, 2147483647]', [-2_147_483_648, 2_147_483_647], [0]),
  array('uint', 'uint32', '[4294967295]', [4_294_967_295], [4_294_967_294, 0]),
  array('long', 'int64', `[${LOWEST_LONG.int}, 0]`, [LOWEST_LONG, 0], [HIGHEST_LONG, -1]),
  array('ulong', 'uint64', '[1, 2]', [1, 2], [HIGHEST_ULONG]),
  array('float', 'float32', '[1.5, -0.25]', [1.5, -0.25], [Math.fround(1e30)]),
  array('double', 'float64', `[${halves.join(', ')}]`, halves, thirds),
  array('string', 'string', '["one", "", "three"]', ['one', '', 'three'], ['a b', '"']),
];

/** Writes the configuration file that defines them, and some with limits; returns its path. */
export function everyTypeConfig(): string {
  const tables = EVERY_TYPE.map(
    ({ pvName, type, toml }) => `[[channels]]\nname = "${pvName}"\ntype = "${type}"\nvalue = ${toml}\n`,
  );
  const file = join(mkdtempSync(join(tmpdir(), 'pvkit-interop-')), 'every-type.toml');
  writeFileSync(file, [...tables, MORE].join('\n'));
  return file;
}

/** Names of the PVs in `MORE`. */
export const MORE_NAMES: readonly string[] = ['more:enum', 'more:unset', 'more:limits', 'more:readonly'];

const MORE = `
[[channels]]
name = "more:enum"
type = "enum(Off|On|Fault)"
value = "On"

[[channels]]
name = "more:unset"
type = "double[]"

[[channels]]
name = "more:limits"
type = "double"
value = 21.5
units = "C"
description = "a temperature"
display = { low = -20, high = 120, precision = 2 }
control = { low = 0, high = 100 }
alarm = { low = 5, low_warning = 10, high_warning = 60, high = 80 }

[[channels]]
name = "more:readonly"
type = "int"
value = 17
read_only = true
`;
