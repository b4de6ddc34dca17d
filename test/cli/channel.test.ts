// Does `pvkit channel` create, describe, list and destroy channels of a running server, and say what is wrong?

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { run, serve, type Ended, type Serving } from './support.ts';

let folder = '';
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'pvkit-channel-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const MOTOR = {
  title: 'motor',
  properties: {
    position: { type: 'number', default: 1.5 },
    moving: { type: 'boolean' },
    limits: { properties: { low: { type: 'number', default: -10 }, high: { type: 'number', default: 10 } } },
  },
};

function client({ environment }: Serving, ...words: string[]): Promise<Ended> {
  return run(words, { environment, folder });
}

async function* text(content: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(content);
}

const json = ({ stdout }: Ended): unknown => JSON.parse(stdout);

describe('with a server that allows it', () => {
  let server: Serving;
  beforeEach(async () => (server = await serve(['--manage', '--pv', 'cfg:x=int:1', '--demo'])));
  afterEach(async () => expect(await server.stop()).toBe(0));

  it('creates, uses, lists, describes and destroys a channel', async () => {
    const { tcpPort } = server;
    const created = await client(
      server,
      'channel',
      'create',
      'lab:x',
      '--type',
      'double',
      '--value',
      '21.5',
      '--units',
      'C',
    );
    expect(created).toMatchObject({ exitCode: 0, stderr: '' });
    expect(created.stdout).toMatch(
      new RegExp(
        `^lab:x on 127\\.0\\.0\\.1:${tcpPort}, created while it ran\\nsettings \\{"units":"C"\\}\\nstruct "epics:nt/NTScalar:1\\.0" \\{\\n`,
        'u',
      ),
    );
    expect(json(await client(server, 'get', '--json', '-r', 'value,display.units', 'lab:x'))).toMatchObject({
      value: { value: 21.5, display: { units: 'C' } },
    });
    expect(await client(server, 'put', 'lab:x', '7')).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await client(server, 'channel', 'list')).stdout).toBe('cfg:x  int     --pv\nlab:x  double  created\n');
    const rows = (await client(server, 'channel', 'list', '--json')).stdout.trim().split('\n');
    expect(rows.map((row): unknown => JSON.parse(row))).toEqual([
      { name: 'cfg:x', type: 'int', origin: '--pv' },
      { name: 'lab:x', type: 'double', origin: 'created' },
    ]);
    expect(json(await client(server, 'channel', 'describe', '--json', 'lab:x'))).toMatchObject({
      name: 'lab:x',
      server: `127.0.0.1:${tcpPort}`,
      type: 'double',
      origin: 'created',
      settings: { units: 'C' },
      schema: { title: 'lab:x', 'x-pva-id': 'epics:nt/NTScalar:1.0' },
    });
    expect((await client(server, 'channel', 'describe', 'cfg:x')).stdout).toContain(', defined in --pv\n');
    expect((await client(server, 'channel', 'describe', 'demo:sine')).stdout).toContain(', made by the program');
    const address = ['--server', `127.0.0.1:${tcpPort}`];
    const destroyed = await client(server, 'channel', 'destroy', 'lab:x', ...address);
    expect(destroyed).toMatchObject({ exitCode: 0, stderr: '' });
    expect(destroyed.stdout).toMatch(/^lab:x on 127\.0\.0\.1:\d+, destroyed; it was created while it ran\n/u);
    const again = await client(server, 'channel', 'destroy', '--json', 'lab:x', ...address);
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toContain("there is no channel 'lab:x' that was created");
    expect(json(again)).toMatchObject({ name: 'lab:x', error: { message: expect.any(String) as unknown } });
    expect((await client(server, 'channel', 'list')).stdout).toBe('cfg:x  int  --pv\n');
  });

  it('creates what a JSON Schema describes, from a file or standard input', async () => {
    writeFileSync(join(folder, 'motor.json'), JSON.stringify(MOTOR));
    const words = ['channel', 'create', 'lab:m', '--schema', 'motor.json', '--value', '{"moving": true}'];
    expect(await client(server, ...words)).toMatchObject({ exitCode: 0, stderr: '' });
    const got = json(await client(server, 'get', '--json', 'lab:m'));
    expect(got).toMatchObject({ value: { position: 1.5, moving: true, limits: { low: -10, high: 10 } } });
    const { environment } = server;
    const piped = ['channel', 'create', 'lab:n', '--schema', '-'];
    expect(await run(piped, { environment, folder, stdin: text('{"enum":["Off","On"]}') })).toMatchObject({
      exitCode: 0,
    });
    // What it describes, it takes.
    const described = json(await client(server, 'channel', 'describe', '--json', 'lab:m'));
    const { schema } = described as { schema: unknown };
    const copied = await run(['channel', 'create', 'lab:copy', '--schema', '-'], {
      environment,
      folder,
      stdin: text(JSON.stringify(schema)),
    });
    expect(copied).toMatchObject({ exitCode: 0, stderr: '' });
    const types = [
      json(await client(server, 'info', '--json', 'lab:m')),
      json(await client(server, 'info', '--json', 'lab:copy')),
    ];
    expect((types[0] as { type: unknown }).type).toEqual((types[1] as { type: unknown }).type);
  });

  it.each([
    [['lab:y', '--type', 'doubel'], `the argument 'type': "doubel" is no type`],
    [['lab:y', '--type', 'int', '--value', '1.5'], `the argument 'value': is "1.5"; expected an integer (int)`],
    [['cfg:x', '--type', 'int'], `channel 'cfg:x' cannot be created: the name is taken`],
    [['demo:sine', '--type', 'int'], `channel 'demo:sine' cannot be created: the name is taken`],
    [['a b', '--type', 'int'], 'holds white space or control characters'],
    [['lab:y', '--schema', 'bad.json'], `the argument 'schema': JSON Schema at #/properties/a/allOf: `],
    [['lab:y', '--type', 'int', '--settings', '{"alarm":{"hihi":1}}'], "the argument 'settings': alarm"],
  ])('create %j is refused by the server: %s', async (words, reason) => {
    const at = `127.0.0.1:${server.tcpPort}`;
    writeFileSync(join(folder, 'bad.json'), '{"properties":{"a":{"allOf":[]}}}');
    const { exitCode, stderr, stdout } = await client(server, 'channel', 'create', ...words, '--server', at);
    expect(stderr).toContain(reason);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  });

  it.each([
    [['create', 'lab:y'], 'expected --type TYPE or --schema FILE'],
    [['create', 'lab:y', '--type', 'int', '--schema', 'motor.json'], '--type and --schema both say what it is'],
    [['create', 'lab:y', '--schema', 'nowhere.json'], 'nowhere.json cannot be read: '],
    [['create', 'lab:y', '--schema', 'text.json'], 'text.json is no JSON: '],
    [['create', 'lab:y', '--type', 'int', '--settings', '{'], '--settings is no JSON: '],
    [['create', 'lab:y', '--type', 'int', '--settings', '7'], '--settings is no JSON object'],
    [['create', '', '--type', 'int'], 'Expected a PV name of 1 to 500 bytes'],
    [['create', 'x'.repeat(501), '--type', 'int'], 'Expected a PV name of 1 to 500 bytes'],
    [['describe'], "missing required argument 'name'"],
    [['explode', 'x'], "unknown command 'explode'"],
  ])('%j is bad usage: %s', async (words, reason) => {
    writeFileSync(join(folder, 'text.json'), 'position: 1');
    const { exitCode, stderr } = await client(server, 'channel', ...words);
    expect(stderr).toContain(reason);
    expect(exitCode).toBe(2);
  });
});

describe('with other servers', () => {
  it('says which right is missing', async () => {
    const server = await serve(['--pv', 'cfg:x=int:1']);
    const { exitCode, stderr } = await client(server, 'channel', 'create', 'lab:x', '--type', 'int');
    expect(stderr).toMatch(/needs manage access to 'lab:x' and has read, write, call\n/u);
    expect(exitCode).toBe(1);
    expect((await client(server, 'channel', 'list')).stdout).toBe('cfg:x  int  --pv\n');
    expect(await server.stop()).toBe(0);
  });

  it('says that none is there', async () => {
    const environment = {
      EPICS_PVA_ADDR_LIST: '127.0.0.1',
      EPICS_PVA_AUTO_ADDR_LIST: 'NO',
      EPICS_PVA_BROADCAST_PORT: '9',
    };
    const ended = await run(['channel', 'create', 'lab:x', '--type', 'int', '-w', '0.3'], { environment });
    expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ended.stderr).toContain('no server answered; --server HOST[:PORT] names one');
  });

  it('keeps what is created in a workspace, and not what is destroyed', async () => {
    const first = await serve(['--manage', '--workspace', 'ws', '--pv', 'cfg:x=int'], { folder });
    await client(first, 'channel', 'create', 'lab:keep', '--type', 'double', '--value', '3');
    await client(first, 'channel', 'create', 'lab:gone', '--type', 'double');
    await client(first, 'put', 'lab:keep', '4');
    expect(await client(first, 'channel', 'destroy', 'lab:gone')).toMatchObject({ exitCode: 0 });
    const refused = await client(first, 'channel', 'destroy', 'cfg:x');
    expect(refused.stderr).toContain("channel 'cfg:x' cannot be destroyed: it is in the configuration (--pv)");
    expect(await first.stop()).toBe(0);
    const second = await serve(['--manage', '--workspace', 'ws'], { folder });
    expect(json(await client(second, 'get', '--json', 'lab:keep', '-r', 'value'))).toMatchObject({
      value: { value: 4 },
    });
    // Whoever has taken it out of the configuration may destroy it.
    expect((await client(second, 'channel', 'list')).stdout).toBe(
      'cfg:x     int     created\nlab:keep  double  created\n',
    );
    expect(await client(second, 'channel', 'destroy', 'cfg:x', 'lab:keep')).toMatchObject({ exitCode: 0 });
    expect(await second.stop()).toBe(0);
  });

  it('refuses --manage beside access rules, which say who may', async () => {
    writeFileSync(join(folder, 'rules.toml'), '[[access]]\nallow = "read"\n');
    const { exitCode, stderr } = await run(['serve', 'rules.toml', '--manage'], { folder });
    expect(stderr).toContain(
      '--manage: is for servers without access rules, and rules.toml:1 has some; add "manage" to allow there',
    );
    expect(exitCode).toBe(2);
  });

  it('creates channels with the rights of a file, and logs who did', async () => {
    writeFileSync(
      join(folder, 'lab.toml'),
      '[log]\nputs = "-"\n[[access]]\nchannel = "tmp:*"\nallow = ["all", "manage"]\n[[access]]\nallow = "all"\n',
    );
    const server = await serve(['lab.toml'], { folder });
    expect(await client(server, 'channel', 'create', 'tmp:x', '--type', 'int')).toMatchObject({ exitCode: 0 });
    expect((await client(server, 'channel', 'create', 'lab:x', '--type', 'int')).stderr).toContain(
      'needs manage access',
    );
    expect(await server.stop()).toBe(0);
    const lines = server.stdout.lines.filter((line) => line.includes('"operation"'));
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
      { operation: 'CREATE', outcome: 'accepted', channel: 'tmp:x' },
      { operation: 'CREATE', outcome: 'refused', channel: 'lab:x' },
    ]);
  });
});
