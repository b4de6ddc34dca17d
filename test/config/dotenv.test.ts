// .env files, and which of several declarations of a name counts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { problemText, type ConfigProblem } from '../../src/config/config-error.ts';
import { parseDotenv } from '../../src/config/dotenv.ts';
import { originOf, Variables, type VariableSources } from '../../src/config/variables.ts';

function read(text: string): { readonly values: Readonly<Record<string, string>>; readonly faults: readonly string[] } {
  const problems: ConfigProblem[] = [];
  const declared = parseDotenv(text, '.env', (problem) => problems.push(problem));
  return {
    values: Object.fromEntries([...declared].map(([name, { value }]) => [name, value])),
    faults: problems.map(problemText),
  };
}

function variables(sources: Partial<VariableSources>): Variables {
  return new Variables({ processEnvironment: {}, ...sources }, (problem) => expect.unreachable(problemText(problem)));
}

/** The plain opposite of the parser: every value in double quotes. */
function write(values: Readonly<Record<string, string>>): string {
  const escaped = (value: string): string =>
    value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return Object.entries(values)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join('\n');
}

describe('a .env file', () => {
  it('holds NAME=VALUE lines, comments and export', () => {
    const { values, faults } = read(
      '# comment\n\nA=1\r\n  export B = two words \nC=\nD=x#y # comment\nE=#none\n\texport\tF=1',
    );
    expect(values).toEqual({ A: '1', B: 'two words', C: '', D: 'x#y', E: '', F: '1' });
    expect(faults).toEqual([]);
  });

  it('takes single quotes as they stand, and knows escapes inside of double quotes', () => {
    const { values } = read(String.raw`A='a\n # "b" $x'  # comment` + '\n' + String.raw`B="a\n\t\"b\" \\ \$ \q # c"`);
    expect(values).toEqual({ A: String.raw`a\n # "b" $x`, B: 'a\n\t"b" \\ $ \\q # c' });
  });

  it('keeps white space and line ends inside of quotes', () => {
    const { values, faults } = read('A="  one\n  two  "\nB=\'x\n\ny\' # end\nC=3');
    expect(values).toEqual({ A: '  one\n  two  ', B: 'x\n\ny', C: '3' });
    expect(faults).toEqual([]);
  });

  it('keeps the last value of a name that stands twice', () => {
    expect(read('A=1\nA=2').values).toEqual({ A: '2' });
  });

  it('says which lines are wrong, and reads the others', () => {
    const { values, faults } = read('A=1\nnonsense\n2B=3\nC="x" y\nD=4\nE=\'open\nF=5');
    expect(values).toEqual({ A: '1', C: 'x', D: '4' });
    expect(faults).toEqual([
      '.env:2: "nonsense" is not NAME=VALUE, with a name of letters, digits and _',
      '.env:3: "2B=3" is not NAME=VALUE, with a name of letters, digits and _',
      '.env:4: C: "y" stands behind the closing "',
      ".env:6: E: the ' that opens the value is closed nowhere",
    ]);
  });

  it('knows the line of a name after values of several lines', () => {
    const declared = parseDotenv('A="1\n2\n3"\nB=4', '.env', () => expect.unreachable());
    expect([declared.get('A')?.line, declared.get('B')?.line]).toEqual([1, 4]);
  });

  it('gives back any value that was written in double quotes', () => {
    const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/);
    fc.assert(
      fc.property(fc.dictionary(name, fc.string({ unit: 'binary' })), (values) => {
        const { values: found, faults } = read(write(values));
        expect(faults).toEqual([]);
        expect(found).toEqual({ ...values });
      }),
    );
  });

  it('never throws, whatever the text', () => {
    const text = fc.string({
      unit: fc.constantFrom('A', '=', '"', "'", '\\', '\n', '#', ' ', '\0', 'é'),
      maxLength: 60,
    });
    fc.assert(
      fc.property(text, (garbage) => {
        expect(Object.keys(read(garbage).values).every((name) => /^A+$/.test(name))).toBe(true);
      }),
    );
  });
});

describe('a variable', () => {
  const dotenv = [{ file: '.env', text: 'A=env\nB=env\nEMPTY=' }];
  const examples = [{ file: '.env.example', text: 'A=example\nB=example\nC=example\n__proto__=x' }];

  it('comes from the process over .env over .env.example', () => {
    const all = variables({ processEnvironment: { A: 'process' }, dotenv, examples });
    expect(['A', 'B', 'C', 'EMPTY', 'D'].map((name) => all.get(name)?.value)).toEqual([
      'process',
      'env',
      'example',
      '',
      undefined,
    ]);
  });

  it('says where it came from', () => {
    const all = variables({ processEnvironment: { A: 'process' }, dotenv, examples });
    const origins = ['A', 'B', 'C']
      .map((name) => all.get(name))
      .map((variable) => (variable === undefined ? '' : originOf(variable)));
    expect(origins).toEqual(['A', 'B (.env:2)', 'C (.env.example:3)']);
  });

  it('comes from the stronger of two files of one kind', () => {
    const all = variables({ dotenv: [...dotenv, { file: 'other/.env', text: 'A=other\nD=other' }] });
    expect([all.get('A')?.value, all.get('D')?.value]).toEqual(['env', 'other']);
  });

  it('may have the name of a property of every object', () => {
    const all = variables({ examples });
    expect([all.get('__proto__')?.value, all.get('constructor')]).toEqual(['x', undefined]);
  });

  it('falls back before .env.example is asked, because an example holds defaults', () => {
    const all = variables({
      processEnvironment: { FALLBACK: 'process' },
      examples: [{ file: '.env.example', text: 'FIRST=example\nFALLBACK=example' }],
    });
    expect(all.pick(['FIRST', 'FALLBACK'], false)?.value).toBe('process');
    expect(all.pick(['FIRST'], false)?.value).toBe('example');
  });

  it('counts as set when it is empty only in the process, and only where an empty value means something', () => {
    const all = variables({ processEnvironment: { FIRST: '' }, dotenv: [{ file: '.env', text: 'SECOND=\nTHIRD=3' }] });
    expect(all.pick(['FIRST', 'THIRD'], true)?.value).toBe('');
    expect(all.pick(['FIRST', 'THIRD'], false)?.value).toBe('3');
    expect(all.pick(['SECOND', 'THIRD'], true)?.value).toBe('3');
  });
});
