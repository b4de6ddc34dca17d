// Do serve, put and info keep to access rules, say what they refuse, log puts, and take new rules while they run?

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { run, serve, start, type Serving } from './support.ts';

const CHANNELS = `
[[channels]]
name = "lab:setpoint"
type = "double"
value = 21.5

[[channels]]
name = "lab:limit"
type = "double"
value = 80

[[channels]]
name = "lab:secret"
type = "string"
value = "code"
`;

/** A rule for a channel. */
const rule = (channel: string, allow: string): string => `[[access]]\nchannel = "${channel}"\nallow = "${allow}"\n`;
const RULES = rule('lab:setpoint', 'write') + rule('lab:secret', 'none') + rule('lab:*', 'read');

let folder = '';
let server: Serving | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pvkit-access-'));
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
  rmSync(folder, { recursive: true });
});

function write(text: string): void {
  writeFileSync(join(folder, 'lab.toml'), text + CHANNELS);
}

async function serving(text: string, ...words: readonly string[]) {
  write(text);
  server = await serve(['lab.toml', ...words], { folder });
  const { environment } = server;
  return { server, client: (...command: readonly string[]) => run(command, { environment }) };
}

describe('serve with access rules', () => {
  it('lets a put through, or refuses it with the sentence', async () => {
    const { client } = await serving(RULES);
    expect(await client('put', 'lab:setpoint', '22')).toMatchObject({ exitCode: 0, stdout: '' });
    const { exitCode, stderr } = await client('put', 'lab:limit', '90');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /refused by 127\.0\.0\.1:\d+: user '.+' on host '.+' at 127\.0\.0\.1 needs write access to 'lab:limit' and has read\n$/u,
    );
    expect((await client('get', '-r', 'value', 'lab:limit')).stdout).toContain('value double = 80');
  });

  it('is not found with what nobody may use', async () => {
    const { client } = await serving(RULES);
    const { exitCode, stderr } = await client('get', '-w', '0.3', 'lab:secret');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('no server answered');
    expect((await client('list', `127.0.0.1:${server?.tcpPort}`)).stdout).toBe('lab:limit\nlab:setpoint\n');
  });

  it('has info tell the rights', async () => {
    const { client } = await serving(RULES);
    const { stdout } = await client('info', 'lab:setpoint', 'lab:limit');
    expect(stdout).toMatch(/^lab:setpoint from 127\.0\.0\.1:\d+, rights: put, put-get$/mu);
    expect(stdout).toMatch(/^lab:limit from 127\.0\.0\.1:\d+, rights: read-only$/mu);
  });

  it('warns of a rule that names no channel, those of --demo included', async () => {
    const { server } = await serving(rule('demo:sine', 'read') + rule('lab:typo', 'read') + rule('*', 'all'), '--demo');
    const warnings = server.stderr.lines.filter((line) => line.includes('names no PV'));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('lab.toml:4: access[1].channel: names no PV of this server with \\"lab:typo\\"');
  });

  it('does not start with rules that contradict each other', async () => {
    write(rule('lab:*', 'read') + rule('lab:*', 'write'));
    const { exitCode, stderr, stdout } = await run(['serve', 'lab.toml'], { folder });
    expect(stderr).toMatch(/^lab\.toml:4: access\[1\]: contradicts access\[0\] \(lab\.toml:1\)/u);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  });
});

describe('a reload', () => {
  it('takes the rules of the file as it is then, and tells clients', async () => {
    const { server, client } = await serving(`[log]\nlevel = "info"\n${RULES}`);
    const watching = start(['monitor', '-d', 'lab:setpoint'], { environment: server.environment });
    await watching.stdout.until((text) => text.includes('value double = 21.5'));
    write(rule('lab:secret', 'all') + rule('lab:*', 'read'));
    expect(server.reload()).toBe(1);
    await server.stderr.until((text) => text.includes('access rules read again, there are 2'));
    await watching.stderr.until((text) => text.includes('rights at 127.0.0.1'));
    await watching.stderr.until((text) => /lab:setpoint: rights at 127\.0\.0\.1:\d+: read-only/u.test(text));
    watching.interrupt();
    await watching.exitCode;
    expect((await client('put', 'lab:setpoint', '23')).exitCode).toBe(1);
    expect((await client('put', 'lab:secret', 'new')).exitCode).toBe(0);
  });

  it('with a fault in the file leaves the rules as they are', async () => {
    const { server, client } = await serving(RULES);
    write(rule('lab:*', 'everything'));
    server.reload();
    await server.stderr.until((text) => text.includes('access rules stay as they were: lab.toml:3: access[0].allow'));
    expect((await client('put', 'lab:setpoint', '23')).exitCode).toBe(0);
    expect((await client('put', 'lab:limit', '23')).exitCode).toBe(1);
  });

  it('is not listened to any more when the server has stopped', async () => {
    const { server } = await serving(RULES);
    await server.stop();
    expect(server.reload()).toBe(0);
  });
});

describe('the put log of serve', () => {
  const SOME_TEXT: unknown = expect.stringMatching(/./u);
  const entries = (text: string): unknown[] =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line): unknown => JSON.parse(line));
  const common = {
    time: SOME_TEXT,
    operation: 'PUT',
    user: SOME_TEXT,
    host: SOME_TEXT,
    address: '127.0.0.1',
    method: 'ca',
  };
  const PUTS = [
    { ...common, outcome: 'accepted', channel: 'lab:setpoint', changed: [{ field: 'value', old: 21.5, new: 22 }] },
    {
      ...common,
      outcome: 'refused',
      reason: SOME_TEXT,
      channel: 'lab:limit',
      changed: [{ field: 'value', old: 80, new: 90 }],
    },
  ];

  it('is a file beside the working folder’s others, whole when the server has ended', async () => {
    const { server, client } = await serving(`[log]\nputs = "puts.log"\n${RULES}`);
    await client('put', 'lab:setpoint', '22');
    await client('put', 'lab:limit', '90');
    expect(await server.stop()).toBe(0);
    expect(entries(readFileSync(join(folder, 'puts.log'), 'utf8'))).toEqual(PUTS);
    expect(server.stdout.lines).toHaveLength(1);
  });

  it('goes to standard output as -', async () => {
    const { server, client } = await serving(`[log]\nputs = "-"\n${RULES}`);
    await client('put', 'lab:setpoint', '22');
    await client('put', 'lab:limit', '90');
    await server.stop();
    const [, ...lines] = server.stdout.lines;
    expect(entries(`${lines.join('\n')}\n`)).toEqual(PUTS);
  });

  it('that cannot be opened keeps the server from starting', async () => {
    write('[log]\nputs = "no/such/folder/puts.log"\n');
    const { exitCode, stderr } = await run(['serve', 'lab.toml'], { folder });
    expect(stderr).toMatch(/^pvkit: lab\.toml:2: log\.puts: cannot be opened: ENOENT/u);
    expect(exitCode).toBe(2);
  });
});
