// Does serve say when it is ready, serve what it was told to, warn, and end in good order?

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { run, serve, start } from './support.ts';

const LISTENING = /^listening tcp 127\.0\.0\.1:(\d+) udp (\d+) guid 0x[0-9a-f]{24}\n$/u;

describe('serve', () => {
  it('prints one line when it is ready, and ends with 0 when it is told to', async () => {
    const server = await serve(['--pv', 'lab:x=int']);
    expect(server.stdout.text).toMatch(LISTENING);
    expect(await server.stop()).toBe(0);
    expect(server.stdout.text).toMatch(LISTENING);
    expect(server.stderr.text).toBe('');
  });

  it('prints JSON, one object a line, with --json', async () => {
    const server = await serve(['--json']);
    expect(await server.stop()).toBe(0);
    const [listening, stopping, ...more] = server.stdout.lines.map((line) => JSON.parse(line) as unknown);
    expect(listening).toEqual({
      event: 'listening',
      tcpPort: server.tcpPort,
      udpPort: server.udpPort,
      guid: expect.stringMatching(/^0x[0-9a-f]{24}$/u) as string,
      tcp: [`127.0.0.1:${server.tcpPort}`],
    });
    expect([stopping, ...more]).toEqual([{ event: 'stopping', linkCount: 0 }]);
  });

  it('prints the effective configuration and its origins with -v', async () => {
    const server = await serve(['-v', '--pv', 'lab:x=int:3'], { environment: { EPICS_PVAS_BEACON_PERIOD: '7' } });
    await server.stop();
    expect(server.stderr.text).toMatch(/^server\.tcp_port +0 +--tcp-port$/mu);
    expect(server.stderr.text).toMatch(/^server\.interfaces +127\.0\.0\.1 +--interface$/mu);
    expect(server.stderr.text).toMatch(/^beacon period +7 s +EPICS_PVAS_BEACON_PERIOD$/mu);
    expect(server.stderr.text).toMatch(/^channel lab:x +int = 3 +--pv$/mu);
    expect(server.stderr.text).toMatch(/"level":30,.*"msg":"stopping, 0 connections are open"\}$/mu);
    expect(server.stdout.text).toMatch(LISTENING);
  });

  it('takes another TCP port when its own is taken, says so, and is found all the same', async () => {
    const first = await serve(['--pv', 'lab:first=int:1']);
    const second = start([
      'serve',
      '--pv',
      'lab:second=int:2',
      '--interface',
      '127.0.0.1',
      '--tcp-port',
      String(first.tcpPort),
      '--udp-port',
      '0',
    ]);
    await second.stdout.until((text) => text.includes('\n'));
    const [, tcpPort = '', udpPort = ''] = LISTENING.exec(second.stdout.text) ?? [];
    expect(Number(tcpPort)).not.toBe(first.tcpPort);
    expect(JSON.parse(second.stderr.text)).toMatchObject({
      level: 40,
      kind: 'portTaken',
      msg: expect.stringContaining(`127.0.0.1:${first.tcpPort} is taken`) as string,
    });
    const environment = { ...first.environment, EPICS_PVA_BROADCAST_PORT: udpPort };
    const { stdout } = await run(['get', '-r', 'value', 'lab:second'], { environment });
    expect(stdout).toBe('lab:second\n    value int32_t = 2\n');
    second.interrupt();
    expect(await second.exitCode).toBe(0);
    expect(await first.stop()).toBe(0);
  });

  it('ends connections in good order: a monitor is told and waits for the server to come back', async () => {
    const server = await serve(['--pv', 'lab:x=int']);
    const watching = start(['monitor', 'lab:x'], { environment: server.environment });
    await watching.stdout.until((text) => text.includes('value'));
    expect(await server.stop()).toBe(0);
    await watching.stderr.until((text) => text.includes('Disconnected'));
    watching.interrupt();
    expect(await watching.exitCode).toBe(0);
    expect(watching.stderr.text).toMatch(/ lab:x Connected to 127\.0\.0\.1:\d+\n.* lab:x Disconnected: .+\n$/u);
  });
});

describe('the log of serve', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pvkit-log-'));
    for (const level of ['silent', 'error', 'warn', 'info', 'debug']) {
      writeFileSync(join(folder, `${level}.toml`), `[server]\nname = "lab"\n[log]\nlevel = "${level}"\n`);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What is logged while a client connects and goes. */
  async function logged(words: readonly string[], isTerminal = false): Promise<string> {
    const server = await serve([...words, '--pv', 'lab:x=int'], { folder, isTerminal });
    await run(['get', 'lab:x'], { environment: server.environment });
    await server.stop();
    return server.stderr.text;
  }

  it('is as talkative as the configuration says: one JSON object a line, as pino writes them', async () => {
    expect(await logged(['silent.toml'])).toBe('');
    expect(await logged(['error.toml'])).toBe('');
    expect(await logged(['warn.toml'])).toBe('');
    const lines = (await logged(['info.toml'])).trimEnd().split('\n');
    const entries = lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    expect(entries.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['listening', 'linkOpened', 'closed']));
    const opened = entries.find(({ kind }) => kind === 'linkOpened');
    expect(opened).toEqual({
      level: 30,
      time: expect.any(Number) as number,
      pid: process.pid,
      hostname: hostname(),
      name: 'lab',
      kind: 'linkOpened',
      remote: expect.stringMatching(/^127\.0\.0\.1:\d+$/u) as string,
      msg: expect.stringMatching(/^client 127\.0\.0\.1:\d+: connected$/u) as string,
    });
  });

  it('tells more with -v, but not against the configuration, and all with -d', async () => {
    expect(await logged(['-v'])).toContain('"kind":"linkOpened"');
    expect(await logged(['-v', 'error.toml'])).not.toContain('"kind":"linkOpened"');
    expect(await logged(['-d', 'silent.toml'])).toContain('"kind":"linkOpened"');
    expect(await logged(['--json', 'info.toml'])).toContain('"kind":"linkOpened"');
  });

  it('is readable lines on a terminal', async () => {
    const text = stripVTControlCharacters(await logged(['info.toml'], true));
    expect(text).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} info: client 127\.0\.0\.1:\d+: connected$/mu);
    expect(text).not.toContain('{');
  });
});

describe('serve with a configuration file', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pvkit-serve-'));
    writeFileSync(
      join(folder, 'lab.toml'),
      `
[[channels]]
name = "lab:temperature"
type = "double"
value = 75
units = "C"
display = { low = -20, high = 120, precision = 2 }
control = { low = 0, high = 100 }
alarm = { low = 5, low_warning = 10, high_warning = 60, high = 80 }

[[channels]]
name = "demo:sine"
type = "string"
value = "\${GREETING}"
read_only = true
`,
    );
    writeFileSync(join(folder, '.env.example'), 'GREETING=from .env.example\n');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('serves its channels with their limits, over the demo PVs of the same names', async () => {
    const server = await serve(['lab.toml', '--demo', '--pv', 'lab:more=string:x'], { folder });
    const client = (...words: string[]) => run(words, { environment: server.environment });
    const { stdout } = await client('get', '--json', 'lab:temperature');
    expect(JSON.parse(stdout)).toMatchObject({
      value: {
        value: 75,
        alarm: { severity: 1, message: 'HIGH' },
        display: { units: 'C', limitLow: -20, precision: 2 },
        control: { limitHigh: 100 },
        valueAlarm: { active: true, highAlarmLimit: 80 },
      },
    });
    expect(await client('put', 'lab:temperature', '101')).toMatchObject({
      stderr: expect.stringContaining('value 101 is outside of the limits 0 to 100') as string,
      exitCode: 1,
    });
    expect((await client('get', '-r', 'value', 'demo:sine', 'lab:more')).stdout).toBe(
      'demo:sine\n    value string = "from .env.example"\nlab:more\n    value string = "x"\n',
    );
    expect((await client('put', 'demo:sine', 'x')).stderr).toContain('read-only');
    expect(await server.stop()).toBe(0);
  });
});
