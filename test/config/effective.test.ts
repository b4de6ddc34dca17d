// The configuration that holds: who wins, who is named as its origin, and what a person sees.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { formatAddress } from '../../src/config/address-list.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import { clientRows, serverRows, type Row } from '../../src/config/effective-rows.ts';
import {
  resolveClientConfig,
  resolveServerConfig,
  type ServerConfig,
  type ServerConfigSources,
  type TomlSource,
} from '../../src/config/effective.ts';
import { deepFreeze } from '../../src/config/freeze.ts';
import { loadClientConfig, loadServerConfig } from '../../src/config/load.ts';
import { parseTomlFile } from '../../src/config/toml-file.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { PvaError } from '../../src/protocol/errors.ts';

function resolveServer(sources: Partial<ServerConfigSources>): ServerConfig {
  return resolveServerConfig({ processEnvironment: {}, ...sources });
}

function problemsOf(act: () => unknown): readonly string[] {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    if (error instanceof ConfigError) return error.message.split('\n');
  }
  return expect.unreachable('no ConfigError was thrown');
}

async function problemsOfAsync(act: () => Promise<unknown>): Promise<readonly string[]> {
  const thrown = await act().catch((error: unknown) => error);
  return problemsOf(() => {
    throw thrown;
  });
}

function toml(text: string): TomlSource {
  return { file: 'lab.toml', text, parse: parseTomlFile };
}

/** Every value that is not frozen, by its path. */
function loose(value: unknown, path = 'config'): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  const below = Object.entries(value).flatMap(([key, item]) => loose(item, `${path}.${key}`));
  return Object.isFrozen(value) ? below : [path, ...below];
}

const folders: string[] = [];

function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'pvkit-config-'));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

describe("a server's configuration", () => {
  it('has the defaults of pvxs when nobody sets anything', () => {
    const config = resolveServer({});
    expect(config).toMatchObject({
      name: 'pvkit',
      tcpPort: 5075,
      udpPort: 5076,
      beaconAddresses: [],
      autoBeacon: true,
      ignoreAddresses: [],
      connectionTimeoutMs: 40_000,
      beaconPeriodMs: 15_000,
      logLevel: 'warn',
      storeUrl: undefined,
      storeFlushMs: 100,
      workspace: undefined,
      limits: DEFAULT_LIMITS,
      channels: [],
      warnings: [],
    });
    expect(config.interfaces.map(formatAddress)).toEqual(['0.0.0.0']);
    expect(new Set([...Object.values(config.origins), ...Object.values(config.limitOrigins)])).toEqual(
      new Set(['default']),
    );
  });

  it('follows the command line over the file over the variables over the defaults', () => {
    const processEnvironment = {
      EPICS_PVAS_SERVER_PORT: '1',
      EPICS_PVA_BROADCAST_PORT: '2',
      EPICS_PVAS_INTF_ADDR_LIST: '10.0.0.1',
    };
    const file = toml(
      '[server]\ntcp_port = 3\ninterfaces = ["10.0.0.2"]\n[store]\nurl = "memory:"\nflush_ms = 0\n[limits]\nmax_links = 7',
    );
    const byVariables = resolveServer({ processEnvironment });
    const byFile = resolveServer({ processEnvironment, toml: file });
    const byFlags = resolveServer({
      processEnvironment,
      toml: file,
      flags: { tcpPort: '4', interfaces: ['10.0.0.3', '[::1]', '10.0.0.3'], store: 'redis://h', workspace: 'data' },
    });
    expect([byVariables, byFile, byFlags].map((config) => [config.tcpPort, config.origins.tcpPort])).toEqual([
      [1, 'EPICS_PVAS_SERVER_PORT'],
      [3, 'lab.toml:2'],
      [4, '--tcp-port'],
    ]);
    expect([byVariables, byFile, byFlags].map((config) => config.interfaces.map((item) => item.host))).toEqual([
      ['10.0.0.1'],
      ['10.0.0.2'],
      ['10.0.0.3', '::1'],
    ]);
    expect([byFlags.udpPort, byFlags.origins.udpPort]).toEqual([2, 'EPICS_PVA_BROADCAST_PORT']);
    expect([byFlags.storeUrl, byFlags.origins.storeUrl, byFlags.workspace]).toEqual(['redis://h', '--store', 'data']);
    expect([byFile.storeFlushMs, byFile.origins.storeFlushMs]).toEqual([0, 'lab.toml:6']);
    expect([byFile.limits.maxLinks, byFile.limitOrigins.maxLinks]).toEqual([7, 'lab.toml:8']);
  });

  it('serves on all interfaces where a list of them is empty', () => {
    const config = resolveServer({ toml: toml('[server]\ninterfaces = []') });
    expect([config.interfaces.map(formatAddress), config.origins.interfaces]).toEqual([['0.0.0.0'], 'lab.toml:2']);
  });

  it('is frozen all the way down', () => {
    const text =
      '[server]\ninterfaces = ["::1"]\n[[channels]]\nname = "a"\ntype = "double[]"\nvalue = [1, 2]\ndisplay.low = 1';
    expect(loose(resolveServer({ toml: toml(text), flags: { pvs: ['b=enum(x|y)'] } }))).toEqual([]);
    expect(loose(resolveClientConfig({ processEnvironment: { EPICS_PVA_ADDR_LIST: '1.2.3.4' } }))).toEqual([]);
  });

  it('has the channels of the file and of the command line', () => {
    const file = toml('[[channels]]\nname = "a"\ntype = "int"\n[[channels]]\nname = "b"\ntype = "int"');
    const config = resolveServer({ toml: file, flags: { pvs: ['c=string:x', 'b=double:1.5'] } });
    expect(config.channels.map(({ name, value, origin }) => [name, value, origin])).toEqual([
      ['a', undefined, 'lab.toml:2'],
      ['b', 1.5, '--pv'],
      ['c', 'x', '--pv'],
    ]);
    expect(config.warnings).toEqual(['--pv: b replaces the channel of lab.toml:5']);
  });

  it('warns of a variable nobody knows', () => {
    expect(resolveServer({ processEnvironment: { EPICS_PVAS_SERVR_PORT: '1' } }).warnings).toEqual([
      'EPICS_PVAS_SERVR_PORT: is no variable that pvkit knows; did you mean "EPICS_PVAS_SERVER_PORT"?',
    ]);
  });

  it('is refused with every fault of every source', () => {
    const act = (): unknown =>
      resolveServer({
        processEnvironment: { EPICS_PVA_CONN_TMO: 'x' },
        dotenv: [{ file: '.env', text: 'A B' }],
        toml: toml('[server]\nudp_port = -1'),
        flags: { tcpPort: 'x', interfaces: ['1.2.3'], store: 'ftp://x', workspace: '', pvs: ['a', 'b=int', 'b=int'] },
      });
    expect(problemsOf(act)).toEqual([
      expect.stringMatching(/^\.env:1: "A B" is not NAME=VALUE/),
      expect.stringMatching(/^EPICS_PVA_CONN_TMO: "x" is not a time/),
      expect.stringMatching(/^lab\.toml:2: server\.udp_port: is the integer -1/),
      expect.stringMatching(/^--interface: "1\.2\.3" is not an IPv4 address; expected/),
      expect.stringMatching(/^--tcp-port: "x" is not a port/),
      expect.stringMatching(/^--store: is no store URL/),
      expect.stringMatching(/^--workspace: is empty; expected a folder/),
      expect.stringMatching(/^--pv: "a" has no =/),
      expect.stringMatching(/^--pv: "b" is given twice/),
    ]);
  });

  it('is refused with an error programs can read', () => {
    try {
      resolveServer({ toml: toml('\n[server]\nudp_port = -1') });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(PvaError);
      expect(error).toMatchObject({
        code: 'CONFIG',
        name: 'ConfigError',
        problems: [
          {
            file: 'lab.toml',
            line: 3,
            key: 'server.udp_port',
            message: 'is the integer -1; expected an integer from 0 to 65535',
          },
        ],
      });
    }
  });

  it('looks for the next request before it waits, unless the file says no', () => {
    expect(resolveServer({}).busyPoll).toBe(true);
    const { busyPoll, origins } = resolveServer({ toml: toml('[server]\nbusy_poll = false') });
    expect({ busyPoll, origin: origins.busyPoll }).toEqual({ busyPoll: false, origin: 'lab.toml:2' });
  });

  it('takes an amount of memory from the command line, else from the file', () => {
    const file = '[server]\nmax_memory = "1.5GiB"\nsearch_relays = ["10.4.0.1", "10.4.0.1"]';
    const ofFile = resolveServer({ toml: toml(file) });
    expect([ofFile.maxMemoryBytes, ofFile.origins.maxMemoryBytes]).toEqual([1.5 * 2 ** 30, 'lab.toml:2']);
    expect(ofFile.searchRelays.map(formatAddress)).toEqual(['10.4.0.1']);
    expect(resolveServer({ toml: toml('[server]\nmax_memory = 200_000_000') }).maxMemoryBytes).toBe(200_000_000);
    for (const [text, bytes] of [
      ['512MiB', 512 * 2 ** 20],
      ['512 mb', 512 * 2 ** 20],
      ['2G', 2 ** 31],
      ['300000000', 300_000_000],
      ['150000KiB', 150_000 * 1_024],
    ] as const) {
      const config = resolveServer({ toml: toml(file), flags: { maxMemory: text } });
      expect([config.maxMemoryBytes, config.origins.maxMemoryBytes]).toEqual([bytes, '--max-memory']);
    }
  });

  it('is refused with digits without end that are no amount of memory as fast as they are read', () => {
    expect(problemsOf(() => resolveServer({ flags: { maxMemory: `${'1'.repeat(500_000)}x` } }))).toEqual([
      expect.stringContaining('is no amount of memory'),
    ]);
  });

  it('is refused with an amount of memory that is none, or less than the program takes', () => {
    const expected = 'expected bytes such as 512MiB or 2GiB, 96MiB at the least';
    for (const text of ['', 'much', '-1G', '1e9', '2 GiB 3', '0x10']) {
      const fault = `--max-memory: "${text}" is no amount of memory; ${expected}`;
      expect(problemsOf(() => resolveServer({ flags: { maxMemory: text } }))).toEqual([fault]);
    }
    for (const text of ['0', '95MiB', '99999999T']) {
      const fault = `--max-memory: "${text}" is out of range; ${expected}`;
      expect(problemsOf(() => resolveServer({ flags: { maxMemory: text } }))).toEqual([fault]);
    }
    expect(problemsOf(() => resolveServer({ toml: toml('[server]\nmax_memory = true') }))).toEqual([
      'lab.toml:2: server.max_memory: is true; expected a string such as "2GiB", or a number of bytes',
    ]);
  });

  it('is refused when limits contradict each other', () => {
    const text = '[limits]\nmonitor_pause_bytes = 200_000\nread_pause_bytes = 100_000\nmax_monitor_queue = 2';
    expect(problemsOf(() => resolveServer({ toml: toml(text) }))).toEqual([
      'lab.toml:2: limits.monitor_pause_bytes: is 200000, which is more than read_pause_bytes with 100000',
      'lab.toml:4: limits.max_monitor_queue: is 2, which is less than default_monitor_queue with 4',
    ]);
  });
});

describe("a client's configuration", () => {
  it('has the defaults of pvxs', () => {
    const config = resolveClientConfig({ processEnvironment: {} });
    expect(config).toMatchObject({
      tcpPort: 5075,
      udpPort: 5076,
      addresses: [],
      nameServers: [],
      autoAddresses: true,
      connectionTimeoutMs: 40_000,
    });
    expect(config.interfaces.map(formatAddress)).toEqual(['0.0.0.0:5076']);
  });

  it('fills in the port of every list', () => {
    const config = resolveClientConfig({
      processEnvironment: {
        EPICS_PVA_BROADCAST_PORT: '1234',
        EPICS_PVA_SERVER_PORT: '5678',
        EPICS_PVA_ADDR_LIST: '1.2.3.4 5.6.7.8:9876',
        EPICS_PVA_NAME_SERVERS: 'gateway [::1]:1',
        EPICS_PVA_INTF_ADDR_LIST: '1.1.1.1',
      },
    });
    expect([config.addresses, config.nameServers, config.interfaces].map((list) => list.map(formatAddress))).toEqual([
      ['1.2.3.4:1234', '5.6.7.8:9876'],
      ['gateway:5678', '[::1]:1'],
      ['1.1.1.1:1234'],
    ]);
    expect(config.origins).toMatchObject({ addresses: 'EPICS_PVA_ADDR_LIST', autoAddresses: 'default' });
  });

  it('warns of port 0 and is refused for a port that is none', () => {
    expect(resolveClientConfig({ processEnvironment: { EPICS_PVA_BROADCAST_PORT: '0' } })).toMatchObject({
      udpPort: 5076,
      warnings: ['EPICS_PVA_BROADCAST_PORT: 0 is ignored; a client needs the port its servers use'],
    });
    expect(problemsOf(() => resolveClientConfig({ processEnvironment: { EPICS_PVA_SERVER_PORT: 'x' } }))).toEqual([
      'EPICS_PVA_SERVER_PORT: "x" is not a port; expected a number from 0 to 65535',
    ]);
  });
});

describe('the effective configuration, for a person', () => {
  function row(rows: readonly Row[], key: string): Row | undefined {
    return rows.find(([name]) => name === key);
  }

  it('names every value of a server with its origin', () => {
    const text =
      '[server]\nname = "lab"\n[[channels]]\nname = "a"\ntype = "int[]"\nvalue = [1, 2, 3, 4, 5, 6]\nread_only = true';
    const config = resolveServer({
      toml: toml(text),
      flags: { store: 'redis://user:secret@h:6379/0', pvs: ['b=string:x', 'c=double'] },
    });
    const rows = serverRows(config);
    expect(row(rows, 'server.name')).toEqual(['server.name', 'lab', 'lab.toml:2']);
    expect(row(rows, 'server.tcp_port')).toEqual(['server.tcp_port', '5075', 'default']);
    expect(row(rows, 'server.beacon_addresses')?.[1]).toBe('(none)');
    expect(row(rows, 'connection timeout')?.[1]).toBe('40 s');
    expect(row(rows, 'store.url')).toEqual(['store.url', 'redis://user:***@h:6379/0', '--store']);
    expect(row(rows, 'limits.max_body_bytes')).toEqual(['limits.max_body_bytes', '67108864', 'default']);
    expect(row(rows, 'channel a')).toEqual([
      'channel a',
      'int[] = [1, 2, 3, 4, 5, ... 6 in all] (read only)',
      'lab.toml:4',
    ]);
    expect(row(rows, 'channel b')).toEqual(['channel b', 'string = "x"', '--pv']);
    expect(row(rows, 'channel c')?.[1]).toBe('double');
    expect(rows.flat().join()).not.toContain('secret');
  });

  it.each([
    ['redis://secret@h:1', 'redis://***@h:1'],
    ['redis://:secret@h', 'redis://:***@h'],
    ['redis://us/er:secret@h', 'redis://us/er:***@h'],
    ['redis://se/cret@h:1/0', 'redis://***@h:1/0'],
    ['rediss://user:secret@secret:@h', 'rediss://user:***@h'],
    ['redis://secret@secret:x@h', 'redis://***@h'],
    ['redis+sentinel://secret@a:1,b:2/lab', 'redis+sentinel://***@a:1,b:2/lab'],
  ])('shows no password that was typed into a store URL in whatever way: %s', (store, shown) => {
    expect(row(serverRows(resolveServer({ flags: { store } })), 'store.url')?.[1]).toBe(shown);
  });

  it('shows a store URL without a password as it is', () => {
    expect(row(serverRows(resolveServer({ flags: { store: 'redis://h' } })), 'store.url')?.[1]).toBe('redis://h');
    expect(row(serverRows(resolveServer({})), 'store.url')?.[1]).toBe('(none)');
  });

  it('names every value of a client with its origin', () => {
    const rows = clientRows(resolveClientConfig({ processEnvironment: { EPICS_PVA_ADDR_LIST: '1.2.3.4 [::1]:7' } }));
    expect(row(rows, 'search addresses')).toEqual(['search addresses', '1.2.3.4:5076 [::1]:7', 'EPICS_PVA_ADDR_LIST']);
    expect(row(rows, 'search by broadcast')).toEqual(['search by broadcast', 'true', 'default']);
  });
});

describe('files', () => {
  it('are read from the working folder and from beside the TOML file, which is stronger', async () => {
    const folder = folderWith({
      '.env': 'A=work\nB=work\n',
      '.env.example': 'C=work-example\nD=work-example\nEPICS_PVA_SERVER_PORT=5075\nEPICS_PVAS_SERVER_PORT=\n',
      'etc/.env': 'A=beside\nEPICS_PVA_CONN_TMO=60\n',
      'etc/.env.example': 'B=beside-example\nC=beside-example\n',
      'etc/lab.toml': '[[channels]]\nname = "a"\ntype = "string[]"\nvalue = ["${A}", "${B}", "${C}", "${D}", "${E}"]\n',
    });
    const config = await loadServerConfig({ folder, processEnvironment: { E: 'process' }, configFile: 'etc/lab.toml' });
    expect(config.channels[0]?.value).toEqual(['beside', 'work', 'beside-example', 'work-example', 'process']);
    expect([config.connectionTimeoutMs, config.origins.connectionTimeoutMs]).toEqual([
      80_000,
      `EPICS_PVA_CONN_TMO (${join('etc', '.env')}:2)`,
    ]);
    expect(config.origins.tcpPort).toBe('EPICS_PVA_SERVER_PORT (.env.example:3)');
  });

  it('are named by their full path when they are elsewhere', async () => {
    const folder = folderWith({ 'lab.toml': '', '.env': 'nonsense', 'sub/x': '' });
    const act = (): Promise<unknown> =>
      loadServerConfig({ folder: join(folder, 'sub'), processEnvironment: {}, configFile: join(folder, 'lab.toml') });
    expect((await problemsOfAsync(act))[0]?.startsWith(`${join(folder, '.env')}:1: `)).toBe(true);
  });

  it('need not be there, but for the TOML file', async () => {
    const folder = folderWith({});
    mkdirSync(join(folder, '.env'));
    expect((await loadServerConfig({ folder, processEnvironment: {} })).tcpPort).toBe(5075);
    expect(loadClientConfig({ folder, processEnvironment: {} }).udpPort).toBe(5076);
    const missing = { folder, processEnvironment: {}, configFile: 'none.toml' };
    expect(await problemsOfAsync(() => loadServerConfig(missing))).toEqual(['none.toml: there is no such file']);
  });

  it('set a client too', () => {
    const folder = folderWith({ '.env': 'EPICS_PVA_NAME_SERVERS="10.0.0.1 10.0.0.2:99"\n' });
    expect(loadClientConfig({ folder, processEnvironment: {} }).nameServers.map(formatAddress)).toEqual([
      '10.0.0.1:5075',
      '10.0.0.2:99',
    ]);
  });

  it('are refused when they are no text, or far too long', async () => {
    const folder = folderWith({
      'bin.toml': new Uint8Array([0x61, 0xff, 0xfe]),
      'long.toml': new Uint8Array(16 * 1024 * 1024 + 1).fill(0x20),
    });
    const load = (configFile: string) =>
      problemsOfAsync(() => loadServerConfig({ folder, processEnvironment: {}, configFile }));
    expect(await load('bin.toml')).toEqual(['bin.toml: is not UTF-8 text']);
    expect(await load('long.toml')).toEqual([
      'long.toml: has 16777217 bytes; a configuration file has at most 16777216',
    ]);
    expect((await load('x'.repeat(5000)))[0]).toMatch(/cannot be read: ENAMETOOLONG/);
  });
});

describe('freezing', () => {
  it('leaves alone what is no plain data', () => {
    const map = new Map([[1, 2]]);
    expect(Object.isFrozen(deepFreeze({ map }).map)).toBe(false);
    expect(deepFreeze(1)).toBe(1);
  });
});
