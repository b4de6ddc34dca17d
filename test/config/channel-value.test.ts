// Types, names and values of channels, and the --pv flag that holds all three.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChannelType } from '../../src/config/channel-definition.ts';
import { SCALAR_NAMES } from '../../src/protocol/types/type-desc.ts';
import { formatChannelType, parseChannelType, parsePvName } from '../../src/config/channel-type.ts';
import { checkValue, parseValueText } from '../../src/config/channel-value.ts';
import { quote, type Parsed } from '../../src/config/parsed.ts';
import { parsePvFlag } from '../../src/config/pv-flag.ts';

function type(text: string): ChannelType {
  const parsed = parseChannelType(text);
  if (!parsed.ok) throw new Error(parsed.wrong);
  return parsed.value;
}

function wrongOf(parsed: Parsed<unknown>): string {
  return parsed.ok ? expect.unreachable('it was read') : parsed.wrong;
}

describe('a channel type', () => {
  it('is a scalar, an array or an enum, and is written as it is read', () => {
    const texts = [...SCALAR_NAMES, ...SCALAR_NAMES.map((name) => `${name}[]`), 'enum(Off|On)', 'enum(one choice)'];
    expect(texts.map((text) => formatChannelType(type(text)))).toEqual(texts);
    expect(type('enum( Off | On )')).toEqual({ kind: 'enum', choices: ['Off', 'On'] });
  });

  it.each([
    ['dubble', '"dubble" is no type; did you mean "double"?'],
    ['Double', '"Double" is no type; did you mean "double"?'],
    ['int64[]', '"int64[]" is no type; did you mean "long"?'],
    ['double[][]', '"double[][]" is no type'],
    ['', '"" is no type; expected one of boolean byte'],
    ['enum', '"enum" names no choices; expected enum(Off|On)'],
    ['enum(a', '"enum(a" names no choices'],
    ['enum()', '"enum()" has an empty choice'],
    ['enum(a||b)', '"enum(a||b)" has an empty choice'],
    ['enum(a|b|a)', 'has the choice "a" twice'],
    [
      `enum(${Array.from({ length: 1001 }, (_, index) => index).join('|')})`,
      'has 1001 choices; an enum has at most 1000',
    ],
  ])('%s is refused', (text, wrong) => {
    expect(wrongOf(parseChannelType(text))).toContain(wrong);
  });
});

describe('an enum', () => {
  it.each([
    [['A|B', 'C '], 'enum["A|B","C "]'],
    [['(off)', 'on'], 'enum["(off)","on"]'],
    [['5 V', 'off'], 'enum(5 V|off)'],
  ])('with the choices %j is written as %s, and read so', (choices, text) => {
    expect(formatChannelType({ kind: 'enum', choices })).toBe(text);
    expect(type(text)).toEqual({ kind: 'enum', choices });
  });

  it('is read as it is written, whatever its choices are', () => {
    const anyChoices = fc.uniqueArray(fc.string({ minLength: 1, unit: 'grapheme' }), { minLength: 1 });
    fc.assert(
      fc.property(anyChoices, (choices) => {
        expect(type(formatChannelType({ kind: 'enum', choices }))).toEqual({ kind: 'enum', choices });
      }),
    );
  });

  it.each([
    ['enum["a"', 'is no list of choices; expected enum["Off", "On"]'],
    ['enum[1]', 'is no list of choices'],
    ['enum[]', 'names no choices; expected enum(Off|On)'],
    ['enum["a","a"]', 'has the choice "a" twice'],
    ['enum["a",""]', 'has an empty choice'],
  ])('%s is refused', (text, wrong) => {
    expect(wrongOf(parseChannelType(text))).toContain(wrong);
  });

  it('takes a choice with white space around it by its very label', () => {
    const choices = { kind: 'enum', choices: ['C', ' C'] } as const;
    expect([' C', 'C', 'C '].map((text) => parseValueText(choices, text))).toEqual([
      { ok: true, value: 1 },
      { ok: true, value: 0 },
      { ok: true, value: 0 },
    ]);
  });
});

describe('a PV name', () => {
  it('may hold what people use', () => {
    expect(
      ['lab:temperature', 'SR-01{Mag:2}Cur.VAL$', 'größe', '温度', 'a'.repeat(500)].map((name) => parsePvName(name).ok),
    ).not.toContain(false);
  });

  it.each([
    ['', 'is empty'],
    ['a b', 'holds white space'],
    ['a\u00A0b', 'holds white space'],
    ['a\u0000', 'holds white space or control characters'],
    ['\uD800', 'holds white space or control characters'],
    ['a'.repeat(501), 'has 501 bytes; a PV name has at most 500'],
    ['ä'.repeat(251), 'has 502 bytes; a PV name has at most 500'],
  ])('%j is refused', (name, wrong) => {
    expect(wrongOf(parsePvName(name))).toContain(wrong);
  });
});

describe('a value out of TOML', () => {
  it.each([
    ['boolean', true, true],
    ['byte', -128n, -128],
    ['ubyte', 255n, 255],
    ['int', -2147483648n, -2147483648],
    ['uint', 4294967295n, 4294967295],
    ['long', 9223372036854775807n, 9223372036854775807n],
    ['ulong', 18446744073709551615n, 18446744073709551615n],
    ['float', 1.5, 1.5],
    ['double', 21n, 21],
    ['double', Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ['float', Number.NaN, Number.NaN],
    ['string', 'x y', 'x y'],
    ['enum(Off|On)', 'On', 1],
    ['enum(Off|On)', 0n, 0],
    ['long[]', [1n, -9007199254740993n], [1n, -9007199254740993n]],
    ['double[]', [1n, 2.5], [1, 2.5]],
    ['string[]', ['a', ''], ['a', '']],
    ['boolean[]', [], []],
  ])('fits %s: %s', (text, raw, value) => {
    expect(checkValue(type(text), raw)).toEqual({ ok: true, value });
  });

  it.each([
    ['ubyte', 256n, 'is 256; ubyte goes from 0 to 255'],
    ['byte', -129n, 'is -129; byte goes from -128 to 127'],
    ['short', 32768n, 'is 32768; short goes from -32768 to 32767'],
    [
      'long',
      9223372036854775808n,
      'is 9223372036854775808; long goes from -9223372036854775808 to 9223372036854775807',
    ],
    ['ulong', -1n, 'is -1; ulong goes from 0 to 18446744073709551615'],
    ['int', 5.5, 'is the number 5.5; expected an integer (int)'],
    ['int', '5', 'is the string "5"; expected an integer (int)'],
    ['float', 1e39, 'is 1e+39; float goes to about 3.4e38'],
    ['double', true, 'is true; expected a number (double)'],
    ['boolean', 1n, 'is the integer 1; expected true or false'],
    ['string', 1n, 'is the integer 1; expected a string'],
    ['string', new Date(0), 'is a date or time; expected a string'],
    ['double', { low: 1 }, 'is a table; expected a number (double)'],
    ['double[]', 1n, 'is the integer 1; expected an array of double'],
    ['ubyte[]', [1n, 300n], 'item 1: is 300; ubyte goes from 0 to 255'],
    ['double[]', [1n, [2n]], 'item 1: is an array; expected a number (double)'],
    ['enum(Off|On)', 'on', 'is "on"; expected one of "Off", "On"'],
    ['enum(Off|On)', 2n, 'is 2; the choices go from 0 to 1'],
    ['enum(Off|On)', 1.5, 'is the number 1.5; expected a choice or its index'],
  ])('does not fit %s: %s', (text, raw, wrong) => {
    expect(checkValue(type(text), raw)).toEqual({ ok: false, wrong });
  });
});

describe('the --pv flag', () => {
  it.each([
    ['a=double', 'a', 'double', undefined],
    ['lab:x=double:1.5', 'lab:x', 'double', 1.5],
    ['lab:x:y=int:-0x10', 'lab:x:y', 'int', -16],
    ['a=long:9223372036854775807', 'a', 'long', 9223372036854775807n],
    ['a=boolean:TRUE', 'a', 'boolean', true],
    ['a=boolean:0', 'a', 'boolean', false],
    ['a=double:-inf', 'a', 'double', Number.NEGATIVE_INFINITY],
    ['a=float:NaN', 'a', 'float', Number.NaN],
    ['a=string:x:y = "z"', 'a', 'string', 'x:y = "z"'],
    ['a=string:', 'a', 'string', ''],
    ['a=double[]:1,2.5, -3', 'a', 'double[]', [1, 2.5, -3]],
    ['a=double[]:[1, 2.5]', 'a', 'double[]', [1, 2.5]],
    ['a=ulong[]:[18446744073709551615]', 'a', 'ulong[]', [18446744073709551615n]],
    ['a=int[]:', 'a', 'int[]', []],
    ['a=int[]:[ ]', 'a', 'int[]', []],
    ['a=string[]:x, y', 'a', 'string[]', ['x', 'y']],
    ['a=string[]:["x, y", ""]', 'a', 'string[]', ['x, y', '']],
    ['a=boolean[]:[true,false]', 'a', 'boolean[]', [true, false]],
    ['a=enum(Off|On):On', 'a', 'enum(Off|On)', 1],
    ['a=enum(Off|On):0', 'a', 'enum(Off|On)', 0],
    ['a=enum(2|1:x):1:x', 'a', 'enum(2|1:x)', 1],
    ['a=enum(2|1):2', 'a', 'enum(2|1)', 0],
    ['a=enum["x: (y)"]:x: (y)', 'a', 'enum["x: (y)"]', 0],
    ['a=double:1.7e308', 'a', 'double', 1.7e308],
  ])('%s is read', (text, name, typeText, value) => {
    const parsed = parsePvFlag(text);
    expect(parsed).toMatchObject({ ok: true, value: { name, readOnly: false, origin: '--pv' } });
    expect(parsed.ok && [formatChannelType(parsed.value.type), parsed.value.value]).toEqual([typeText, value]);
  });

  it.each([
    ['a', '"a" has no =; expected NAME=TYPE[:VALUE], such as lab:x=double:1.5'],
    ['=double', 'the name in "=double" is empty'],
    ['a b=double', 'the name in "a b=double" "a b" holds white space'],
    ['a=', 'a: "" is no type'],
    ['a=flot:1', 'a: "flot" is no type; did you mean "float"?'],
    ['a=enum(Off|On)x:1', 'a: "enum(Off|On)x" names no choices'],
    ['a=enum(Off:1', 'a: "enum(Off" names no choices'],
    ['a=double:', 'a: the value is ""; expected a number (double)'],
    ['a=double:1e999', 'a: the value is 1e999; double goes to about 1.8e308'],
    ['a=double:-1e999', 'a: the value is -1e999; double goes to about 1.8e308'],
    ['a=float:1e999', 'a: the value is 1e999; float goes to about 3.4e38'],
    ['a=double[]:1,1e999', 'a: the value item 1: is 1e999; double goes to about 1.8e308'],
    ['a=double:1,5', 'a: the value is "1,5"; expected a number (double)'],
    ['a=int:1.5', 'a: the value is "1.5"; expected an integer (int)'],
    ['a=ubyte:256', 'a: the value is 256; ubyte goes from 0 to 255'],
    ['a=boolean:maybe', 'a: the value is "maybe"; expected true or false'],
    ['a=int[]:1,,2', 'a: the value item 1: is ""; expected an integer (int)'],
    ['a=int[]:[1', 'a: the value "[1" has only one of [ and ]'],
    ['a=string[]:["x"', 'a: the value "[\\"x\\"" is no JSON list'],
    ['a=string[]:[1]', 'a: the value item 0: is the number 1; expected a string'],
    ['a=enum(Off|On):Of', 'a: the value is "Of"; expected one of "Off", "On"'],
    ['a=enum(Off|On):2', 'a: the value is 2; the choices go from 0 to 1'],
  ])('%s is refused', (text, wrong) => {
    expect(wrongOf(parsePvFlag(text))).toContain(wrong);
  });

  it('reads back any 64-bit integer to the last digit', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(parseValueText(type('long[]'), `[${value}, ${value}]`)).toEqual({ ok: true, value: [value, value] });
      }),
    );
  });

  it('is refused at once where it is long and nearly a number', () => {
    const before = performance.now();
    expect(wrongOf(parseValueText(type('double'), `${'1'.repeat(100_000)}x`))).toContain('expected a number');
    expect(performance.now() - before).toBeLessThan(1_000);
  });

  it('reads back any double', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        expect(parseValueText(type('double'), Object.is(value, -0) ? '-0' : String(value))).toEqual({
          ok: true,
          value,
        });
      }),
    );
  });
});

describe('text in a message', () => {
  it('is quoted, escaped and cut where it is long', () => {
    expect(quote('a"\n')).toBe(String.raw`"a\"\n"`);
    expect(quote('x'.repeat(100))).toBe(`"${'x'.repeat(60)}"... (100 characters)`);
  });
});
