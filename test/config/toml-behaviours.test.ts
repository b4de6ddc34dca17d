// What the TOML file says of control limits, alarms, deadbands and computed channels, and how that can be wrong.

import { describe, expect, it } from 'vitest';

import { problemText } from '../../src/config/config-error.ts';
import type { ChannelDefinition } from '../../src/config/channel-definition.ts';
import { parseTomlFile } from '../../src/config/toml-file.ts';
import { Variables } from '../../src/config/variables.ts';

interface Reading {
  readonly channels: readonly ChannelDefinition[] | undefined;
  readonly faults: readonly string[];
}

function read(text: string): Reading {
  const faults: string[] = [];
  const variables = new Variables({ processEnvironment: {} }, () => expect.unreachable());
  const settings = parseTomlFile(text, 'lab.toml', variables, (problem) => faults.push(problemText(problem)));
  expect(settings === undefined).toBe(faults.length > 0);
  return { channels: settings?.channels, faults };
}

const channel = (...lines: readonly string[]): string => ['[[channels]]', 'name = "a"', ...lines].join('\n');
const other = (name: string, ...lines: readonly string[]): string =>
  ['', '[[channels]]', `name = "${name}"`, ...lines].join('\n');

describe('the behaviours of a channel', () => {
  it('are what the file says', () => {
    const { channels, faults } = read(
      channel(
        'type = "long"',
        'control = { low = 0, high = 9007199254740993, min_step = 2, mode = "clip" }',
        'alarm = { low = -9007199254740993, high = 10, hysteresis = 1.5, severities = { low = "invalid", high = "MINOR" } }',
        'deadband = 3',
      ),
    );
    expect(faults).toEqual([]);
    expect(channels?.[0]).toMatchObject({
      // Past 2^53 the last digit counts.
      control: { low: 0, high: 9_007_199_254_740_993n, minStep: 2, mode: 'clip' },
      alarm: {
        low: -9_007_199_254_740_993n,
        high: 10,
        hysteresis: 1.5,
        severities: { low: 'INVALID', lowWarning: undefined, high: 'MINOR' },
      },
      deadband: 3,
      computed: undefined,
    });
  });

  it.each([
    [
      ['type = "int"', 'control = { low = 0, high = 1, mode = "clamp" }'],
      'lab.toml:4: channels[0].control.mode: is the string "clamp"; expected one of clip, reject',
    ],
    [
      ['type = "int"', 'deadband = -1'],
      'lab.toml:4: channels[0].deadband: is the integer -1; expected a number not below 0',
    ],
    [
      ['type = "string"', 'deadband = 1'],
      'lab.toml:4: channels[0].deadband: has no meaning for a channel of type string',
    ],
    [
      ['type = "enum(a|b)"', 'deadband = 1'],
      'lab.toml:4: channels[0].deadband: has no meaning for a channel of type enum(a|b)',
    ],
    [
      ['type = "int"', '[channels.alarm]', 'high = 1', 'severities = { high = "bad" }'],
      'lab.toml:6: channels[0].alarm.severities.high: is the string "bad"; expected one of NO_ALARM, MINOR, MAJOR, INVALID',
    ],
    [
      ['type = "int"', '[channels.alarm]', 'high = 1', 'severities.low = "MINOR"'],
      'lab.toml:6: channels[0].alarm.severities.low: is for the limit low, which is not set',
    ],
    [
      ['type = "int"', 'alarm = { high = 1, severities = { hihi = "MINOR" } }'],
      'lab.toml:4: channels[0].alarm.severities.hihi: is no key of channels.alarm.severities; expected low, low_warning, high_warning, high',
    ],
    [
      ['type = "double"', 'control = { low = 5, high = 5 }'],
      'lab.toml:4: channels[0].control: leaves nothing to choose between low = 5 and high = 5 for double',
    ],
    [
      ['type = "int"', 'control = { low = 1.2, high = 1.8 }'],
      'lab.toml:4: channels[0].control: leaves nothing to choose between low = 1.2 and high = 1.8 for int',
    ],
    [
      ['type = "ubyte[]"', 'control.low = 300'],
      'lab.toml:4: channels[0].control: leaves nothing to choose between low = 300 for ubyte[]',
    ],
    [
      ['type = "long"', 'control = { low = 9007199254740993, high = 9007199254740992 }'],
      'lab.toml:4: channels[0].control.high: is 9007199254740992, which is less than low with 9007199254740993',
    ],
  ])('cannot be %j', (lines, fault) => {
    expect(read(channel(...lines)).faults).toEqual([fault]);
  });
});

describe('a computed channel', () => {
  it('names its inputs, which may stand before it or behind it', () => {
    const { channels, faults } = read(
      channel(
        'type = "double"',
        'computed = "sqrt(x*x + y*y)"',
        'inputs = { x = "lab:x", y = "lab:y" }',
        'deadband = 1',
      ) +
        other('lab:x', 'type = "double"') +
        other('lab:y', 'type = "boolean"') +
        other(
          'lab:z',
          'type = "enum(a|b)"',
          'computed = "on ? 1 : 0"',
          'maximize_severity = false',
          'read_only = true',
          '[channels.inputs]',
          'on = "a"',
        ),
    );
    expect(faults).toEqual([]);
    expect(channels?.map(({ computed }) => computed)).toEqual([
      { expression: 'sqrt(x*x + y*y)', inputs: { x: 'lab:x', y: 'lab:y' }, maximizeSeverity: true },
      undefined,
      undefined,
      { expression: 'on ? 1 : 0', inputs: { on: 'a' }, maximizeSeverity: false },
    ]);
  });

  const X = other('lab:x', 'type = "double"');

  it.each([
    [
      ['type = "double"', 'computed = "x +"', 'inputs.x = "lab:x"'],
      'lab.toml:4: channels[0].computed: at character 4: a number, a name or ( expected, found the end',
    ],
    [
      ['type = "double"', 'inputs.x = "lab:x"', 'computed = "x + y"'],
      'lab.toml:5: channels[0].computed: at character 5: there is no input y; the inputs are x',
    ],
    [
      ['type = "double"', 'computed = 5', 'inputs.x = "lab:x"'],
      'lab.toml:4: channels[0].computed: is the integer 5; expected a string',
    ],
    [
      ['type = "double"', 'computed = "1"'],
      'lab.toml:1: channels[0].inputs: is missing; expected the channels to compute from, such as { a = "lab:x" }',
    ],
    [
      ['type = "double"', 'inputs.x = "lab:x"'],
      'lab.toml:4: channels[0].inputs: has a meaning only beside computed = "..."',
    ],
    [
      ['type = "double"', 'maximize_severity = true'],
      'lab.toml:4: channels[0].maximize_severity: has a meaning only beside computed = "..."',
    ],
    [
      ['type = "double"', 'computed = "x"', 'inputs.x = "lab:y"'],
      'lab.toml:5: channels[0].inputs.x: there is no channel "lab:y" in this file; did you mean "lab:x"?',
    ],
    [
      ['type = "double"', 'computed = "x"', 'inputs.x = 7'],
      'lab.toml:5: channels[0].inputs.x: is the integer 7; expected a string',
    ],
    [
      ['type = "double"', 'computed = "x"', 'inputs.x = ""'],
      'lab.toml:5: channels[0].inputs.x: is empty; expected a PV name',
    ],
    [
      ['type = "double"', 'computed = "1"', 'inputs = "lab:x"'],
      'lab.toml:5: channels[0].inputs: is the string "lab:x"; expected a table',
    ],
    [
      ['type = "double"', 'computed = "1"', 'inputs = { "x-1" = "lab:x" }'],
      'lab.toml:5: channels[0].inputs.x-1: is no name; expected letters, digits and _',
    ],
    [
      ['type = "double"', 'computed = "1"', 'inputs.sqrt = "lab:x"'],
      'lab.toml:5: channels[0].inputs.sqrt: is the name of a function of expressions',
    ],
    [
      ['type = "string"', 'computed = "x"', 'inputs.x = "lab:x"'],
      'lab.toml:4: channels[0].computed: gives a number, which a channel of type string cannot have',
    ],
    [
      ['type = "int[]"', 'computed = "x"', 'inputs.x = "lab:x"'],
      'lab.toml:4: channels[0].computed: gives a number, which a channel of type int[] cannot have',
    ],
    [
      ['type = "int"', 'computed = "x"', 'inputs.x = "lab:x"', 'value = 3'],
      'lab.toml:6: channels[0].value: has no meaning for a channel that is computed',
    ],
    [
      ['type = "int"', 'computed = "x"', 'inputs.x = "lab:x"', 'control.low = 3'],
      'lab.toml:6: channels[0].control: has no meaning for a channel that is computed',
    ],
    [
      ['type = "int"', 'computed = "x"', 'inputs.x = "lab:x"', 'read_only = false'],
      'lab.toml:6: channels[0].read_only: is false, but nobody can write a computed channel',
    ],
    [
      ['type = "int"', 'computed = "x"', 'inputs.x = "a"'],
      'lab.toml:5: channels[0].inputs.x: makes the channel depend on itself: a <- a',
    ],
    [
      ['type = "int"', 'computed = "x"', 'inputs.x = "lab:x"', 'maximise_severity = true'],
      'lab.toml:6: channels[0].maximise_severity: is no key of channels; did you mean "maximize_severity"?',
    ],
  ])('cannot be %j', (lines, fault) => {
    expect(read(channel(...lines) + X).faults).toEqual([fault]);
  });

  it.each(['string', 'double[]'])('has no input of type %s', (type) => {
    const text =
      channel('type = "double"', 'computed = "x"', 'inputs.x = "lab:w"') + other('lab:w', `type = "${type}"`);
    expect(read(text).faults).toEqual([
      `lab.toml:5: channels[0].inputs.x: "lab:w" is of type ${type}; an expression computes with single numbers`,
    ]);
  });

  it('is no part of a circle, and neither is any other', () => {
    const text =
      channel('type = "double"', 'computed = "x"', 'inputs.x = "b"') +
      other('b', 'type = "double"', 'computed = "x + y"', 'inputs = { x = "c", y = "d" }') +
      other('c', 'type = "double"', 'computed = "x"', 'inputs.x = "a"') +
      other('d', 'type = "double"') +
      other('e', 'type = "double"', 'computed = "x"', 'inputs.x = "a"');
    expect(read(text).faults).toEqual([
      'lab.toml:5: channels[0].inputs.x: makes the channel depend on itself: a <- b <- c <- a',
      'lab.toml:10: channels[1].inputs.x: makes the channel depend on itself: b <- c <- a <- b',
      'lab.toml:15: channels[2].inputs.x: makes the channel depend on itself: c <- a <- b <- c',
    ]);
  });

  it('is not too long', () => {
    const text = channel('type = "double"', `computed = "${'1+'.repeat(500)}x"`, 'inputs.x = "lab:x"');
    expect(read(text + X).faults).toEqual([
      'lab.toml:4: channels[0].computed: expression: 1001 asked, maxExpressionCharacters allows 1000',
    ]);
  });

  it('shows all its faults beside those of others', () => {
    const { faults } = read(
      channel('type = "string"', 'computed = "y"', 'inputs = { x = "nowhere", abs = "lab:x" }', 'value = "v"') + X,
    );
    expect(faults).toHaveLength(5);
  });
});
