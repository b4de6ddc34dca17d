// Do get, put, info, call and monitor do what they say, against a server on this host?

import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { run, serve, start, type Ended, type Serving } from './support.ts';

let server: Serving;

beforeAll(async () => {
  server = await serve([
    '--pv=lab:x=double:1.5',
    '--pv=lab:mode=enum(Off|On|Auto):On',
    '--pv=lab:wave=double[]:[1,2,3]',
    '--pv=lab:text=string:a°b',
    '--pv=lab:big=long:9007199254740993',
    '--pv=lab:small=byte',
    '--demo',
  ]);
});

afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

function client(...words: string[]): Promise<Ended> {
  return run(words, { environment: server.environment });
}

/** The output without what differs from run to run. */
function steady(text: string): string {
  return text
    .replaceAll(/(secondsPastEpoch int64_t =|nanoseconds int32_t =) \d+/gu, '$1 N')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}/gu, 'TIME')
    .replaceAll(String(server.tcpPort), 'PORT');
}

describe('get', () => {
  it('prints name and fields as pvxget does', async () => {
    const { stdout, stderr, exitCode } = await client('get', 'lab:x');
    expect(steady(stdout).split('\n')).toEqual([
      'lab:x',
      '    value double = 1.5',
      '    alarm.severity int32_t = 0',
      '    alarm.status int32_t = 0',
      '    alarm.message string = ""',
      '    timeStamp.secondsPastEpoch int64_t = N',
      '    timeStamp.nanoseconds int32_t = N',
      '    timeStamp.userTag int32_t = 0',
      '',
    ]);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  });

  it('prints only the fields of -r, in the order in which PVs are named', async () => {
    const { stdout } = await client('get', '-r', 'value', 'lab:wave', 'lab:text', 'lab:x');
    expect(stdout).toBe(
      'lab:wave\n    value double[] = {3}[1, 2, 3]\nlab:text\n    value string = "a°b"\nlab:x\n    value double = 1.5\n',
    );
  });

  it('cuts arrays with -# and numbers with --precision', async () => {
    expect((await client('get', '-#', '2', '-r', 'value', 'lab:wave')).stdout).toContain('{3}[1, 2, ...]');
    expect((await client('get', '-#2', '-r', 'value', 'demo:image')).stdout).toMatch(/\{3072\}\[\d+, \d+, \.\.\.\]/u);
    expect((await client('get', '--precision', '2', '-r', 'value', 'demo:sine')).stdout).toMatch(
      /= -?\d(\.\d)?\d?(e-0\d)?\n/u,
    );
  });

  it('prints a tree', async () => {
    const { stdout } = await client('get', '-F', 'tree', 'lab:mode');
    expect(stdout).toContain('lab:mode\n    struct "epics:nt/NTEnum:1.0" {\n        struct "enum_t" {\n');
    expect(stdout).toContain('            string[] choices = {3}["Off", "On", "Auto"]\n        } value\n');
  });

  it('prints a tree of what -r selects', async () => {
    const { stdout } = await client('get', '-F', 'tree', '-r', 'value', 'lab:x');
    expect(stdout).toMatch(/^lab:x\n {4}struct "epics:nt\/NTScalar:1\.0" \{\n {8}double value = \S+\n {4}\}\n$/u);
  });

  it('prints one JSON object a line, 64-bit integers exact, only what -r selects', async () => {
    const { stdout } = await client('get', '--json', '-r', 'value', 'lab:big', 'lab:text', 'demo:nosuch', '-w', '1');
    const lines = stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown);
    expect(lines).toEqual([
      { name: 'lab:big', value: { value: '9007199254740993' } },
      { name: 'lab:text', value: { value: 'a°b' } },
      {
        name: 'demo:nosuch',
        error: { code: 'TIMEOUT', message: expect.stringContaining('no server answered') as string },
      },
    ]);
  });

  it('goes on past PVs that fail, names those that did not answer, and ends with 1', async () => {
    const { stdout, stderr, exitCode } = await client('get', '-w', '1', '-r', 'value', 'no:a', 'lab:x', 'no:b');
    expect(stdout).toBe('lab:x\n    value double = 1.5\n');
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(/^no:a: timed out after 1 s: searched \d+ times?, no server answered$/u),
      expect.stringMatching(/^no:b: timed out/u),
      'Timeout with 2 outstanding: no:a, no:b',
      '',
    ]);
    expect(exitCode).toBe(1);
  });

  it('tells what the server says about a field that is not there', async () => {
    const { stderr, exitCode } = await client('get', '-r', 'field(nosuch)', 'lab:x');
    expect(stderr).toMatch(/^lab:x: .*refused by 127\.0\.0\.1:\d+: .+\n$/u);
    expect(exitCode).toBe(1);
  });

  it('goes to a named server without a search', async () => {
    const environment = { EPICS_PVA_ADDR_LIST: '', EPICS_PVA_AUTO_ADDR_LIST: 'NO' };
    const asked = await run(['get', '-r', 'value', '--server', `127.0.0.1:${server.tcpPort}`, 'lab:x'], {
      environment,
    });
    expect(asked).toEqual({ stdout: 'lab:x\n    value double = 1.5\n', stderr: '', exitCode: 0 });
  });

  it('ends at ^C with 1, and says for what it waited', async () => {
    const waiting = start(['get', '-w', '0', 'no:pv'], { environment: server.environment });
    waiting.interrupt();
    expect(await waiting.exitCode).toBe(1);
    expect(waiting.stderr.text).toBe('Interrupted with 1 outstanding: no:pv\n');
  });

  it('prints its configuration with -v', async () => {
    const { stderr } = await client('get', '-v', 'lab:x');
    expect(stderr).toMatch(/^udp port +\d+ +EPICS_PVA_BROADCAST_PORT$/mu);
  });

  it('remarks on numbers that stand for something, on a terminal only', async () => {
    const { stdout } = await run(['get', 'lab:mode'], { environment: server.environment, isTerminal: true });
    expect(stdout).toContain('\u001b[1mlab:mode\u001b[22m\n');
    expect(stdout).toContain('value.index int32_t = 1  \u001b[2m# On\u001b[22m\n');
    expect(stdout).toContain('alarm.severity int32_t = 0  \u001b[32m# no alarm\u001b[39m\n');
    expect(stdout).toContain(`\u001b[2m# ${new Date().getFullYear()}-`);
  });
});

describe('put', () => {
  it.each([
    ['lab:x', ['-2.5'], 'double = -2.5'],
    ['lab:x', ['value=3e2'], 'double = 300'],
    ['lab:x', ['{"value": 7}'], 'double = 7'],
    ['lab:wave', ['[4, 5.5]'], 'double[] = {2}[4, 5.5]'],
    ['lab:text', ['two words'], 'string = "two words"'],
    ['lab:text', ['value=a=b'], 'string = "a=b"'],
    ['lab:big', ['-9223372036854775808'], 'int64_t = -9223372036854775808'],
    ['lab:big', ['{"value": 9007199254740995}'], 'int64_t = 9007199254740995'],
    ['lab:small', ['-128'], 'int8_t = -128'],
  ])('%s %j', async (name, words, expected) => {
    expect(await client('put', name, ...words)).toEqual({ stdout: '', stderr: '', exitCode: 0 });
    expect((await client('get', '-r', 'value', name)).stdout).toBe(`${name}\n    value ${expected}\n`);
  });

  it('takes the label and the index of an enum', async () => {
    await client('put', 'lab:mode', 'Auto');
    expect((await client('get', '-r', 'value.index', 'lab:mode')).stdout).toContain('= 2\n');
    await client('put', 'lab:mode', '0');
    expect((await client('get', '-r', 'value.index', 'lab:mode')).stdout).toContain('= 0\n');
  });

  it('sets several fields at once', async () => {
    const { exitCode } = await client('put', 'lab:x', 'value=5', 'alarm.severity=2', 'alarm.message=by hand');
    expect(exitCode).toBe(0);
    const { stdout } = await client('get', '--json', '-r', 'value,alarm', 'lab:x');
    expect(JSON.parse(stdout)).toMatchObject({ value: { value: 5, alarm: { severity: 2, message: 'by hand' } } });
  });

  it('prints old and new with -v, and what an index stands for', async () => {
    await client('put', 'lab:mode', 'Off');
    const mode = await client('put', '-v', 'lab:mode', 'On');
    expect(mode.stdout).toBe('Old:\n    value.index int32_t = 0  # Off\nNew:\n    value.index int32_t = 1  # On\n');
    await client('put', 'lab:text', 'before');
    const { stdout } = await client('put', '-v', 'lab:text', 'after');
    expect(stdout).toBe('Old:\n    value string = "before"\nNew:\n    value string = "after"\n');
  });

  it.each([
    [['lab:small', '128'], /^lab:small: value: .*128.* does not fit byte/u],
    [['lab:x', 'word'], /^lab:x: value: .*word/u],
    [['lab:x', 'nosuch=1'], /^lab:x: nosuch/u],
    [['lab:mode', 'Nosuch'], /one of 'Off', 'On', 'Auto', or an index from 0 to 2 expected/u],
    [['demo:setpoint', '101'], /^demo:setpoint: PUT refused by .*: value 101 is outside of the limits 0 to 100 C$/mu],
    [['demo:sine', '1'], /^demo:sine: .*read-only/u],
  ])('%j is refused with a sentence', async (words, sentence) => {
    const { stdout, stderr, exitCode } = await client('put', ...words);
    expect(stderr).toMatch(sentence);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 });
  });
});

describe('info', () => {
  it('prints with --json-schema what the JSON of get keeps to', async () => {
    const names = ['lab:big', 'lab:mode', 'lab:wave', 'demo:struct', 'demo:table', 'demo:image'];
    const schemas = (await client('info', '--json-schema', ...names)).stdout.trimEnd().split('\n');
    const values = (await client('get', '--json', ...names)).stdout.trimEnd().split('\n');
    expect([schemas.length, values.length]).toEqual([names.length, names.length]);
    for (const [index, name] of names.entries()) {
      const ajv = new Ajv2020({ strict: true, strictTypes: false });
      ajv.addVocabulary(['x-pva-type', 'x-pva-id', 'x-pva-fields']);
      // What JSON.parse gives here are objects.
      const schema = JSON.parse(schemas[index] ?? '') as { readonly title: string };
      const shown = JSON.parse(values[index] ?? '') as { readonly value: unknown };
      expect(schema.title).toBe(name);
      expect(ajv.validate(schema, shown.value), ajv.errorsText()).toBe(true);
    }
  });

  it('prints server and type', async () => {
    const { stdout, exitCode } = await client('info', 'lab:wave');
    expect(steady(stdout)).toBe(
      [
        'lab:wave from 127.0.0.1:PORT, rights: put, put-get',
        'struct "epics:nt/NTScalarArray:1.0" {',
        '    double[] value',
        '    struct "alarm_t" {',
        '        int32_t severity',
        '        int32_t status',
        '        string message',
        '    } alarm',
        '    struct "time_t" {',
        '        int64_t secondsPastEpoch',
        '        int32_t nanoseconds',
        '        int32_t userTag',
        '    } timeStamp',
        '}',
        '',
      ].join('\n'),
    );
    expect(exitCode).toBe(0);
  });

  it('prints the type as JSON', async () => {
    const { stdout } = await client('info', '--json', 'lab:x', 'no:pv', '-w', '1');
    const [found, missing] = stdout.split('\n');
    expect(JSON.parse(found ?? '')).toMatchObject({
      name: 'lab:x',
      server: `127.0.0.1:${server.tcpPort}`,
      rights: { put: true, putGet: true, rpc: false },
      type: { kind: 'structure', id: 'epics:nt/NTScalar:1.0', fields: [{ name: 'value', type: 'double' }, {}, {}] },
    });
    expect(JSON.parse(missing ?? '')).toMatchObject({ name: 'no:pv', error: { code: 'TIMEOUT' } });
  });
});

describe('call', () => {
  it('prints the answer as a tree, as pvxcall does', async () => {
    const { stdout, stderr, exitCode } = await client('call', 'demo:add', 'lhs=2', 'rhs=3.5');
    expect(stdout).toContain('struct "epics:nt/NTScalar:1.0" {\n    double value = 5.5\n');
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  });

  it.each([
    [['--string', 'lhs=2', 'rhs=3.5'], 5.5],
    [['lhs:int=2', 'rhs:string=0.5'], 2.5],
    [['lhs:ulong=5', 'rhs=-1e1'], -5],
  ])('sends arguments %j', async (words, sum) => {
    const { stdout } = await client('call', '--json', 'demo:add', ...words);
    expect(JSON.parse(stdout)).toMatchObject({ name: 'demo:add', value: { value: sum } });
  });

  it('tells why the service refused', async () => {
    const { stdout, stderr, exitCode } = await client('call', '--json', 'demo:add', 'lhs=2');
    expect(stderr).toMatch(/^demo:add: .*refused by .*: rhs is not a number; lhs and rhs are expected/u);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'STATUS' } });
    expect(exitCode).toBe(1);
  });
});

describe('monitor', () => {
  it('prints the value and each change with time and name, and ends after -n', async () => {
    const watching = start(['monitor', '-n', '2', '-r', 'value', 'lab:small'], { environment: server.environment });
    await watching.stdout.until((text) => text.includes('value int8_t'));
    await client('put', 'lab:small', '77');
    expect(await watching.exitCode).toBe(0);
    expect(steady(watching.stdout.text)).toMatch(
      /^TIME lab:small\n {4}value int8_t = -?\d+\nTIME lab:small\n {4}value int8_t = 77\n$/u,
    );
    expect(steady(watching.stderr.text)).toBe('TIME lab:small Connected to 127.0.0.1:PORT\n');
  });

  it('ends at ^C with 0', async () => {
    const watching = start(['monitor', 'lab:x', 'no:pv'], { environment: server.environment });
    await watching.stdout.until((text) => text.includes('value double'));
    watching.interrupt();
    expect(await watching.exitCode).toBe(0);
  });

  it('prints one JSON object a line, notices too', async () => {
    const watching = start(['monitor', '--json', '-r', 'value,timeStamp.secondsPastEpoch', 'lab:text'], {
      environment: server.environment,
    });
    await watching.stdout.until((text) => text.includes('\n'));
    await client('put', 'lab:text', 'changed');
    await watching.stdout.until((text) => text.includes('"value":"changed"'));
    watching.interrupt();
    await watching.exitCode;
    const lines = watching.stdout.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.at(-1)).toEqual({
      name: 'lab:text',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/u) as string,
      changed: expect.arrayContaining(['value']) as string[],
      overrun: [],
      value: { value: 'changed', timeStamp: { secondsPastEpoch: expect.any(Number) as number } },
    });
    expect(JSON.parse(watching.stderr.lines[0] ?? '')).toMatchObject({ name: 'lab:text', event: 'connected' });
  });

  it('with -w gives up on a PV that nobody has', async () => {
    const { stderr, exitCode } = await client('monitor', '-w', '0.2', 'no:pv');
    expect(stderr).toMatch(/Timeout with 1 outstanding: no:pv\n$/u);
    expect(exitCode).toBe(1);
  });
});
