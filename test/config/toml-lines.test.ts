// Where keys stand in a TOML text.
import fc from 'fast-check';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { locateKeys, type TomlPath } from '../../src/config/toml-lines.ts';

function lineOf(text: string, ...path: TomlPath): number | undefined {
  // What the parser refuses would prove nothing.
  expect(() => parse(text)).not.toThrow();
  return locateKeys(text).lineOf(path);
}

describe('the line of a key', () => {
  it('is found in tables, dotted keys and quoted keys', () => {
    const text = [
      'a = 1',
      '',
      '# b = 9',
      '[server] # [x]',
      'tcp_port=2',
      'deep.er . "key" = 3',
      '"a b".\'c.d\' = 4',
      '[x."y.z"]',
      'w=1',
    ].join('\n');
    expect(lineOf(text, 'a')).toBe(1);
    expect(lineOf(text, 'server')).toBe(4);
    expect(lineOf(text, 'server', 'tcp_port')).toBe(5);
    expect(lineOf(text, 'server', 'deep', 'er', 'key')).toBe(6);
    expect(lineOf(text, 'server', 'a b', 'c.d')).toBe(7);
    expect(lineOf(text, 'x', 'y.z', 'w')).toBe(9);
  });

  it('is found in arrays of tables and the tables below them', () => {
    const text = '[[c]]\nn="1"\n[c.d]\nlow=1\n[[c.e]]\nf=1\n[[c.e]]\nf=2\n\n[[c]]\nn="2"\n[c.d]\nlow=2\n[[c.e]]\nf=3\n';
    expect(lineOf(text, 'c', 0, 'n')).toBe(2);
    expect(lineOf(text, 'c', 0, 'd', 'low')).toBe(4);
    expect(lineOf(text, 'c', 0, 'e', 1, 'f')).toBe(8);
    expect(lineOf(text, 'c', 1)).toBe(10);
    expect(lineOf(text, 'c', 1, 'n')).toBe(11);
    expect(lineOf(text, 'c', 1, 'd', 'low')).toBe(13);
    expect(lineOf(text, 'c', 1, 'e', 0, 'f')).toBe(15);
  });

  it('is found in inline tables and arrays over several lines', () => {
    const text =
      'a = [ # x = 1 ]\n  1, [2,\n  3],\n { b = 4, c.d = [5,\n 6] }, ]\ne = { f = { g = "}" }, h = [ "]", \'#\' ] }\ni = 1\n';
    expect(lineOf(text, 'a', 0)).toBe(2);
    expect(lineOf(text, 'a', 1, 1)).toBe(3);
    expect(lineOf(text, 'a', 2, 'b')).toBe(4);
    expect(lineOf(text, 'a', 2, 'c', 'd', 1)).toBe(5);
    expect(lineOf(text, 'e', 'f', 'g')).toBe(6);
    expect(lineOf(text, 'e', 'h', 1)).toBe(6);
    expect(lineOf(text, 'i')).toBe(7);
  });

  it('is not disturbed by what strings hold', () => {
    const text = [
      'a = """',
      'x = 1',
      '[no] \\""" # " ""',
      '"""""',
      "b = '''",
      "y = '2'",
      "'''''",
      'c = "\\\\" # "',
      "d = '\\'",
      'e = "a\\"b = 3"',
      'f = 1979-05-27 07:32:00',
    ];
    const lines = [...text, 'g = 1'].join('\r\n');
    expect(lineOf(lines, 'b')).toBe(5);
    expect(lineOf(lines, 'c')).toBe(8);
    expect(lineOf(lines, 'e')).toBe(10);
    expect(lineOf(lines, 'g')).toBe(12);
    expect(lineOf(lines, 'x')).toBeUndefined();
    expect(lineOf(lines, 'no')).toBeUndefined();
  });

  it('is the line of the table around, where the key itself does not stand', () => {
    expect(lineOf('\n[[channels]]\nname = "x"', 'channels', 0, 'type')).toBe(2);
    expect(lineOf('a = 1', 'b')).toBeUndefined();
    expect(lineOf('a = [1, 2]', 'a', 1)).toBe(1);
  });

  it('is found for keys with escapes, and for names that every object has', () => {
    expect(lineOf('x = 1\n"t\\u0061b\\t" = 2', 'tab\t')).toBe(2);
    expect(lineOf('x = 1\n__proto__ = 2\n"\\u005f_proto__x" = 3', '__proto__')).toBe(2);
    expect(lineOf('x = 1\n"" = 2', '')).toBe(2);
  });

  it('is found for every key of any document', () => {
    const key = fc.stringMatching(/^[a-z]{1,3}$/);
    const leaf = fc.constantFrom(
      '1',
      '"a = [#"',
      "'''\n[x]\n'''",
      '"""\\"\n"""',
      '[1,\n 2]',
      '{ p = 1, q = [ 2 ] }',
      '1.5 # c',
    );
    const table = fc.uniqueArray(fc.tuple(key, leaf), { selector: ([name]) => name, maxLength: 4 });
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(key, table), { selector: ([name]) => name, maxLength: 5 }), (tables) => {
        const lines: string[] = [];
        const expected: [TomlPath, number][] = [];
        for (const [name, entries] of tables) {
          const repeat = entries.length % 2 === 1;
          lines.push(repeat ? `[[${name}]]` : `[${name}]`);
          for (const [inner, value] of entries) {
            expected.push([repeat ? [name, 0, inner] : [name, inner], lines.join('\n').split('\n').length + 1]);
            lines.push(`${inner} = ${value}`);
          }
        }
        const text = lines.join('\n');
        for (const [path, line] of expected) expect(lineOf(text, ...path)).toBe(line);
      }),
    );
  });
});

describe('a faulty text', () => {
  it('ends the search without harm', () => {
    const piece = fc.constantFrom(
      '[',
      ']',
      '[[',
      '{',
      '}',
      '"',
      '"""',
      "'",
      "'''",
      '=',
      ',',
      '.',
      '#',
      '\n',
      'a',
      ' ',
      '\\',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        expect(locateKeys(pieces.join('')).lineOf(['never there'])).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });
});

describe('a large text', () => {
  it('with a long array, a long string and many comments is searched', () => {
    const text = `a = [${'1,'.repeat(200_000)}]\nb = "${'x'.repeat(2_000_000)}"\nc = """${'x\n'.repeat(500_000)}"""\n${'# c\n'.repeat(200_000)}d = 1`;
    expect(locateKeys(text).lineOf(['d'])).toBe(700_004);
  });
});
