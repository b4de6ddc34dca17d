// Can a channel of the file be of any structure, with the fields that the file sets, and is what does not fit it told?

import { describe, expect, it } from 'vitest';
import { problemText } from '../../src/config/config-error.ts';
import { resolveServerConfig } from '../../src/config/effective.ts';
import { serverRows } from '../../src/config/effective-rows.ts';
import { parseTomlFile } from '../../src/config/toml-file.ts';
import { Variables } from '../../src/config/variables.ts';
import { configuredPvs } from '../../src/server/configured-pv.ts';
import { anyCodecOf } from '../../src/protocol/values/codec.ts';
import { encodeType } from '../../src/protocol/types/wire.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';

const FIELDS = [
  { name: 'x', type: 'double' },
  { name: 'count', type: 'long' },
  { name: 'samples', type: 'int[]' },
  { name: 'axis', type: { kind: 'structure', id: 'axis_t', fields: [{ name: 'label', type: 'string' }] } },
];
const TYPE = JSON.stringify({ kind: 'structure', id: 'point_t', fields: FIELDS });

const channel = (...lines: readonly string[]): string =>
  ['[[channels]]', 'name = "lab:point"', `type = '${TYPE}'`, ...lines].join('\n');

function faultsOf(text: string): readonly string[] {
  const faults: string[] = [];
  const variables = new Variables({ processEnvironment: {} }, () => expect.unreachable());
  parseTomlFile(text, 'lab.toml', variables, (problem) => faults.push(problemText(problem)));
  return faults;
}

describe('a channel of a structure', () => {
  it('begins with what the file sets, all else at zero', () => {
    const text = channel('value = { x = 1.5, count = 9007199254740993, samples = [1, 2], axis = { label = "a" } }');
    const config = resolveServerConfig({
      processEnvironment: {},
      toml: { file: 'lab.toml', text, parse: parseTomlFile },
    });
    const pv = configuredPvs(config.channels, new ManualClock()).get('lab:point');
    expect(pv?.type).toMatchObject({ id: 'point_t' });
    const value = { x: 1.5, count: 9_007_199_254_740_993n, samples: Int32Array.of(1, 2), axis: { label: 'a' } };
    expect(pv?.value).toEqual(value);
    expect(pv?.isWritable).toBe(true);
    // Its type went through a frozen configuration and is one as all others.
    const writer = new Writer(false);
    if (pv !== undefined) anyCodecOf(pv.type).encode(writer, pv.state.value, encodeType);
    expect(writer.view().length).toBe(8 + 8 + 1 + 8 + 2);
    expect(serverRows(config).find(([key]) => key === 'channel lab:point')?.[1]).toContain('"point_t"');
  });

  it.each([
    [
      'value = { y = 1.5 }',
      /^lab\.toml:4: channels\[0\]\.value: does not fit the structure: y: no such field, point_t has x, count/u,
    ],
    ['value = { x = "much" }', /value: does not fit the structure: x: /u],
    ['value = 3', /value: does not fit the structure: /u],
    ['alarm = { high = 3 }', /alarm: has limits, which a channel of type \{.* cannot have$/u],
    ['deadband = 1', /deadband: has no meaning for a channel of type/u],
    [
      'computed = "a"\ninputs = { a = "lab:point" }',
      /computed: gives a number, which a channel of type \{.* cannot have$/u,
    ],
  ])('with %s is refused', (line, expected) => {
    expect(faultsOf(channel(line))).toEqual(expect.arrayContaining([expect.stringMatching(expected)]));
  });

  it.each([
    ['{', 'is no type: '],
    ['{}', 'is no type: '],
    ['{"kind":"union","id":"","fields":[]}', 'is of kind union; a channel is a structure'],
    ['{"kind":"structure","id":"","fields":[{"name":"a","type":"doubel"}]}', '"doubel" is no type'],
  ])('of the type %s is refused', (type, expected) => {
    const [fault = ''] = faultsOf(`[[channels]]\nname = "a"\ntype = '${type}'\n`);
    expect(fault).toMatch(/^lab\.toml:3: channels\[0\]\.type: /u);
    expect(fault).toContain(expected);
  });
});
