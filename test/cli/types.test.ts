// Does `pvkit types` write TypeScript that compiles, that types values, and that makes the very types of the PVs?

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Context, resolveClientConfig } from '../../src/index.ts';
import * as protocol from '../../src/protocol/index.ts';
import { declarationSource, moduleSource } from '../../src/cli/types-module.ts';
import { builderSource, literal } from '../../src/cli/types-source.ts';
import { types as anyType } from '../support/arbitraries.ts';
import { run, serve, type Serving } from './support.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder = '';
let server: Serving;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pvkit-types-'));
  server = await serve(['--demo']);
});

afterAll(async () => {
  expect(await server.stop()).toBe(0);
  rmSync(folder, { recursive: true });
});

function types(...words: string[]) {
  return run(['types', ...words], { environment: server.environment, folder });
}

function written(file: string): string {
  return readFileSync(join(folder, file), 'utf8');
}

/** What an expression of builders makes. */
function evaluated(source: string, imports: ReadonlySet<string>): unknown {
  const given = Object.entries(protocol).filter(([name]) => imports.has(name));
  return runInNewContext(`(${source})`, Object.fromEntries(given));
}

describe('types', () => {
  it('writes a module', async () => {
    const { stdout, stderr, exitCode } = await types('demo:setpoint', 'demo:enum', 'demo:struct');
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(stdout).toBe(`// Types of PVs as their servers describe them, written by \`pvkit types\`.

import {
  alarmType,
  any,
  arrayOf,
  double,
  long,
  ntEnum,
  ntScalar,
  string,
  structure,
  timeStampType,
  union,
  type ValueOf,
} from 'pvkit/protocol';

/** demo:setpoint */
export const demoSetpoint = ntScalar(double, { form: true, control: true, valueAlarm: true });
export type DemoSetpoint = ValueOf<typeof demoSetpoint>;

/** demo:enum */
export const demoEnum = ntEnum;
export type DemoEnum = ValueOf<typeof demoEnum>;

/** demo:struct */
export const demoStruct = structure('demo/Machine:1.0', {
  name: string,
  mode: union({
    idle: string,
    hold: double,
    ramp: structure({
      from: double,
      to: double,
      progress: double,
    }),
  }),
  position: structure({
    x: double,
    y: double,
    z: double,
  }),
  log: arrayOf(structure({
    secondsPastEpoch: long,
    what: string,
  })),
  extra: any,
  alarm: alarmType,
  timeStamp: timeStampType,
});
export type DemoStruct = ValueOf<typeof demoStruct>;

/** By the names of the PVs. */
export const pvTypes = {
  'demo:setpoint': demoSetpoint,
  'demo:enum': demoEnum,
  'demo:struct': demoStruct,
} as const;
`);
  });

  it('writes declarations into a .d.ts', async () => {
    expect(await types('-o', 'demo.d.ts', 'demo:enum', 'demo:waveform')).toEqual({
      stdout: '',
      stderr: '',
      exitCode: 0,
    });
    const text = written('demo.d.ts');
    expect(text).toContain('export type DemoEnum = {\n  readonly value: {\n    readonly index: number;\n');
    expect(text).toContain('  readonly value: Float64Array;\n');
    expect(text).toMatch(
      /export interface PvValues \{\n {2}readonly 'demo:enum': DemoEnum;\n {2}readonly 'demo:waveform': DemoWaveform;\n\}\n$/u,
    );
    expect(text).not.toContain('import');
  });

  it('writes what compiles, and types what get and monitor give', async () => {
    const { stdout: names } = await run(['list', `127.0.0.1:${server.tcpPort}`], { environment: server.environment });
    const all = names.trimEnd().split('\n');
    expect(await types('-o', 'pv-types.ts', ...all)).toMatchObject({ stderr: '', exitCode: 0 });
    expect(await types('-o', 'pv-values.d.ts', ...all)).toMatchObject({ stderr: '', exitCode: 0 });
    writeFileSync(
      join(folder, 'program.ts'),
      `
import { Context } from 'pvkit';
import { demoSetpoint, demoWaveform, pvTypes, type DemoStruct } from './pv-types.ts';
import type { DemoStruct as DemoStructValue, PvValues } from './pv-values.d.ts';

const context = new Context();
const { value, display } = await context.get('demo:setpoint', { type: demoSetpoint });
export const product: number = value * display.precision;
// @ts-expect-error a number is no text
export const text: string = value;
// @ts-expect-error there is no such field
export const missing = display.nosuch;

const struct: DemoStruct = await context.get('demo:struct', { type: pvTypes['demo:struct'] });
export const progress: number = struct.mode?.select === 'ramp' ? struct.mode.value.progress : 0;
export const seconds: bigint = struct.log[0]?.secondsPastEpoch ?? 0n;
export const there: DemoStructValue = struct;
export const back: DemoStruct = there;
export const counter: number = (await context.get('demo:counter', { type: pvTypes['demo:counter'] })).value;
export const declared: PvValues['demo:int64']['value'] = (await context.get('demo:int64', { type: pvTypes['demo:int64'] })).value;

for await (const update of context.monitor('demo:waveform', { type: demoWaveform })) {
  const points: Float64Array = update.value.value;
  if (points.length > 0) break;
}
`,
    );
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: join(root, 'tsconfig.json'),
        compilerOptions: {
          typeRoots: [join(root, 'node_modules', '@types')],
          paths: { pvkit: [join(root, 'src/index.ts')], 'pvkit/protocol': [join(root, 'src/protocol/index.ts')] },
        },
        include: ['*.ts', join(root, 'src/protocol/binary-parser.d.ts')],
      }),
    );
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { stdout, status } = spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' });
    expect({ stdout, status }).toEqual({ stdout: '', status: 0 });
  }, 60_000);

  it('writes what makes the very types of the PVs', async () => {
    const context = new Context({ config: resolveClientConfig({ processEnvironment: server.environment }) });
    const { stdout } = await types('demo:image', 'demo:table', 'demo:struct', 'demo:sine');
    const file = join(folder, 'made.ts');
    const entry = JSON.stringify(join(root, 'src/protocol/index.ts'));
    writeFileSync(file, stdout.replace("'pvkit/protocol'", entry));
    const { pvTypes } = (await import(file)) as { readonly pvTypes: Readonly<Record<string, protocol.TypeDesc>> };
    for (const [name, type] of Object.entries(pvTypes)) expect((await context.info(name)).type).toBe(type);
    expect(Object.keys(pvTypes)).toHaveLength(4);
    await context.close();
  });

  it('writes nothing unless every PV answers', async () => {
    const { stdout, stderr, exitCode } = await types('-w', '0.3', '-o', 'none.ts', 'demo:sine', 'no:pv');
    expect(stderr).toMatch(/^no:pv: timed out .*\nTimeout with 1 outstanding: no:pv\n$/u);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 });
    expect(() => written('none.ts')).toThrow('ENOENT');
  });

  it('overwrites its own files, and those of others only with --force', async () => {
    writeFileSync(join(folder, 'mine.ts'), 'const years = "of work";\n');
    const { stderr, exitCode } = await types('-o', 'mine.ts', 'demo:sine');
    expect(stderr).toContain('pvkit: mine.ts was not written by pvkit types; --force overwrites it\n');
    expect(exitCode).toBe(2);
    expect(written('mine.ts')).toContain('years');
    expect((await types('--force', '-o', 'mine.ts', 'demo:sine')).exitCode).toBe(0);
    expect((await types('-o', 'mine.ts', 'demo:enum')).exitCode).toBe(0);
    expect(written('mine.ts')).toContain('demoEnum');
  });

  it('that cannot write says so', async () => {
    const { stderr, exitCode } = await types('-o', 'nosuch/x.ts', 'demo:sine');
    expect(stderr).toMatch(/^pvkit: ENOENT: .*nosuch/u);
    expect(exitCode).toBe(1);
  });
});

describe('the source of a type', () => {
  it('makes the type again, whatever it is', () => {
    fc.assert(
      fc.property(anyType(), (type) => {
        const imports = new Set<string>();
        const source = builderSource(type, imports);
        expect(evaluated(source, imports)).toBe(type);
      }),
    );
  });

  it.each([
    [
      protocol.structure('', [
        { name: '10', type: protocol.int },
        { name: '2', type: protocol.double },
      ]),
    ],
    [protocol.structure('a', [{ name: '__proto__', type: protocol.int }])],
    [protocol.structure({ "it's": protocol.int, 'a"b': protocol.fixedArrayOf(protocol.byte, 3), 'a-b': protocol.any })],
    [
      protocol.union('u\u2028', {
        'x\u202ey': protocol.boundedString(7),
        z: protocol.boundedArrayOf(protocol.uint, 9),
      }),
    ],
    [protocol.arrayOf(protocol.union({ a: protocol.anyArray, b: protocol.structure({}) }))],
  ])('of odd names and kinds is right: %#', (type) => {
    const imports = new Set<string>();
    expect(evaluated(builderSource(type, imports), imports)).toBe(type);
  });

  it('names PVs so that no two are alike, and none is a word of the language or of the module', () => {
    const names = ['a:b', 'a.b', 'A-B', 'class', 'double', '3phase', ':::', 'größe', '*/ evil'];
    const source = moduleSource(names.map((pvName) => ({ pvName, type: protocol.double })));
    const constants = [...source.matchAll(/^export const (\w+) = /gmu)].map(([, name]) => name);
    expect(constants).toEqual(['aB', 'aB2', 'aB3', 'class2', 'double2', 'pv3phase', 'pv', 'grE', 'evil', 'pvTypes']);
    expect(source).toContain(String.raw`/** *\/ evil */`);
    // One type, one expression.
    expect(source.match(/= double;/gu)).toHaveLength(1);
  });

  it('of values spells unions, any and arrays', () => {
    const type = protocol.structure({
      choice: protocol.union({ a: protocol.int, 'b c': protocol.string }),
      list: protocol.arrayOf(protocol.union({ a: protocol.int })),
      items: protocol.arrayOf(protocol.structure({ x: protocol.boolean })),
      anything: protocol.any,
      all: protocol.anyArray,
      name: protocol.boundedString(8),
      none: protocol.structure({}),
      never: protocol.union({}),
      flags: protocol.arrayOf(protocol.boolean),
    });
    expect(declarationSource([{ pvName: 'x', type }]))
      .toBe(`// Types of PVs as their servers describe them, written by \`pvkit types\`.

import type { AnyValue } from 'pvkit/protocol';

/** x */
export type X = {
  readonly choice:
    | { readonly select: 'a'; readonly value: number }
    | { readonly select: 'b c'; readonly value: string }
    | null;
  readonly list: readonly (
    | { readonly select: 'a'; readonly value: number }
    | null)[];
  readonly items: readonly ({
    readonly x: boolean;
  } | null)[];
  readonly anything: AnyValue;
  readonly all: readonly AnyValue[];
  readonly name: string;
  readonly none: {};
  readonly never: null;
  readonly flags: readonly boolean[];
};

/** By the names of the PVs. */
export interface PvValues {
  readonly 'x': X;
}
`);
  });

  it('holds no character that is not seen', () => {
    expect(literal("a'b\n\u202e\u007f\\")).toBe(String.raw`'a\'b\n\u{202e}\u{7f}\\'`);
  });
});
