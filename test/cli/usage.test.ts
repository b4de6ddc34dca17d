// Does a wrong command line end with 2 and a sentence, and does help help?

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { runCli } from '../../src/cli/program.ts';
import type { CliHost } from '../../src/cli/host.ts';
import { nodeNetwork } from '../../src/index.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryOutput, nothing, run } from './support.ts';

/** A network that a wrong command line must not touch. */
const FORBIDDEN = new Proxy(nodeNetwork, {
  get(_network, name) {
    throw new Error(`the network was used: ${String(name)}`);
  },
});

describe('a wrong command line', () => {
  it.each([
    ['', 'Usage: pvkit'],
    ['gett x', "pvkit: unknown command 'gett'\n(Did you mean get?)"],
    ['nosuch', "pvkit: unknown command 'nosuch'\n`pvkit help` lists the commands\n"],
    ['get -w x y', '\n`pvkit help get` tells more\n'],
    ['channel nosuch', "pvkit: unknown command 'nosuch'\n`pvkit help channel` tells more\n"],
    ['channel help nosuch', "pvkit: unknown command 'nosuch'\n`pvkit help channel` tells more\n"],
    ['help channel nosuch', "pvkit: unknown command 'nosuch'\n`pvkit help channel` tells more\n"],
    ['channel create x --schema /dev/zero', 'has more than 1048576 bytes, which no schema has'],
    ['help gett', "pvkit: unknown command 'gett'\n(Did you mean get?)"],
    ['--nosuch', "pvkit: unknown option '--nosuch'"],
    ['get', "pvkit: missing required argument 'name'"],
    ['get --timout 3 x', "pvkit: unknown option '--timout'\n(Did you mean --timeout?)"],
    ['get -w', "option '-w, --timeout <seconds>' argument missing"],
    ['get -w abc x', "argument 'abc' is invalid. Expected a number of seconds from 0 to 864000."],
    ['get -w -1 x', "argument '-1' is invalid. Expected a number of seconds"],
    ['get -F xml x', "argument 'xml' is invalid. Allowed choices are delta, tree, json."],
    ['get -r field( x', "argument 'field(' is invalid. pvRequest 'field(', position 7: the name of a field expected"],
    ['get -#x x', "argument 'x' is invalid. Expected a whole number from 0 to"],
    ['get --precision 0 x', 'Expected a whole number from 1 to 17.'],
    ['get --json -F tree x', 'pvkit: --json and -F tree ask for two forms at once'],
    ['get --json -# 3 x', 'pvkit: -# cuts arrays short, which JSON output never does'],
    ['get --server host:99999 x', "argument 'host:99999' is invalid. Expected HOST or HOST:PORT"],
    [`get ${'n'.repeat(501)}`, 'Expected a PV name of 1 to 500 bytes, it has 501.'],
    ['get ', "value '' is invalid for argument 'name'. Expected a PV name of 1 to 500 bytes, it has 0."],
    ['probe :', "value ':' is invalid for argument 'server'. Expected HOST or HOST:PORT"],
    ['put x', "pvkit: missing required argument 'value'"],
    ['put x 1 2', 'pvkit: "1" is not FIELD=VALUE'],
    ['call x word', 'pvkit: "word" is not FIELD=VALUE\n`pvkit help call` tells more'],
    ['call x a:nosuch=1', 'pvkit: a: "nosuch" is no type'],
    ['monitor -n 0 x', "argument '0' is invalid. Expected a whole number from 1 to"],
    ['doctor a b', "pvkit: too many arguments for 'doctor'. Expected 1 argument but got 2."],
    ['doctor -w soon', "argument 'soon' is invalid. Expected a number of seconds"],
    ['sniff x', "pvkit: too many arguments for 'sniff'. Expected 0 arguments but got 1."],
    ['sniff -n none', "argument 'none' is invalid. Expected a whole number from 1 to"],
    ['load', "pvkit: missing required argument 'scenario'"],
    ['load get', "pvkit: missing required argument 'name'"],
    [
      'load gat x',
      "argument 'scenario'. Allowed choices are get, put, monitor, array, connect, search, connect-storm, slow-readers, search-flood, churn, soak.",
    ],
    ['load get x --clients 0', "argument '0' is invalid. Expected a whole number from 1 to"],
    ['load get x --depth many', "argument 'many' is invalid. Expected a whole number from 1 to"],
    ['load get x --seconds -1', "argument '-1' is invalid. Expected a number of seconds"],
    ['load get x{9..0}', 'Expected a range that goes up and stands for at most 100000 names.'],
    ['load get x --channels 3', 'pvkit: --channels is for `pvkit load connect` only\n`pvkit help load` tells more'],
    ['load get x --udp-port 3', 'pvkit: --udp-port is for `pvkit load search|search-flood|soak` only'],
    [
      'load monitor x --rate 3',
      'pvkit: --rate is for `pvkit load get|put|array|connect-storm|slow-readers|search-flood|churn|soak` only',
    ],
    ['types', "pvkit: missing required argument 'name'"],
    ['types -o', "option '-o, --output <file>' argument missing"],
    ['monitor --rate --json -# 3 x', 'pvkit: -# cuts arrays short, which JSON output never does'],
    ['serve a.toml b.toml', "pvkit: too many arguments for 'serve'. Expected 1 argument but got 2."],
    ['serve .', '.: is a folder; expected a TOML file'],
    ['serve nosuch.toml', 'nosuch.toml: there is no such file'],
    ['serve --pv x', '--pv: "x" has no =; expected NAME=TYPE[:VALUE]'],
    ['serve --pv x=dbl', '--pv: x: "dbl" is no type; expected one of boolean'],
    ['serve --pv x=int --pv x=int', '--pv: "x" is given twice'],
    [
      'serve --tcp-port 6075 --msgpack-port 6075',
      '--msgpack-port: 6075 is the TCP port already (--tcp-port); expected another',
    ],
    ['serve --tcp-port 99999', '--tcp-port: "99999" is not a port'],
    ['serve --interface nowhere!', '--interface: "nowhere!"'],
    ['serve --store mysql://127.0.0.1', '--store: is no store URL; expected memory:, redis://host:port/db'],
    ['serve --store redis://127.0.0.1/x/y', 'pvkit: --store: '],
    ['serve --store memory: --store-wait soon', 'Expected a number of seconds from 0 to 864000'],
  ])('"%s" ends with 2: %s', async (line, sentence) => {
    const words = line === '' ? [] : line.split(' ');
    const { stdout, stderr, exitCode } = await run(words, { network: FORBIDDEN });
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain('    at ');
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 });
  });

  it('shows where in the program it was found only with -d', async () => {
    const { stderr, exitCode } = await run(['put', '-d', 'x', '1', '2'], { network: FORBIDDEN });
    expect(stderr).toMatch(/^UsageError: .*\n {4}at /mu);
    expect(exitCode).toBe(2);
  });

  it('in the environment names the variable', async () => {
    const environment = { EPICS_PVA_BROADCAST_PORT: 'abc', EPICS_PVA_ADDR_LIST: '1.2.3.4:x' };
    const { stderr, exitCode } = await run(['get', 'x'], { environment, network: FORBIDDEN });
    expect(stderr).toMatch(/^EPICS_PVA_BROADCAST_PORT: /mu);
    expect(stderr).toMatch(/^EPICS_PVA_ADDR_LIST: /mu);
    expect(exitCode).toBe(2);
  });
});

describe('a wrong configuration file', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pvkit-cli-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is told in full, with file, line and key, before any port opens', async () => {
    const lines = ['[server]', 'tcp_prot = 1', '', '[[channels]]', 'name = "lab:x"', 'type = "dubble"'];
    writeFileSync(join(folder, 'lab.toml'), `${lines.join('\n')}\n`);
    const { stdout, stderr, exitCode } = await run(['serve', 'lab.toml'], { folder, network: FORBIDDEN });
    expect(stderr).toMatch(/^lab\.toml:2: .*tcp_prot.*tcp_port/mu);
    expect(stderr).toMatch(/^lab\.toml:6: .*type.*dubble/mu);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 });
  });
});

describe('help', () => {
  const commands = ['serve', 'get', 'put', 'monitor', 'info', 'list', 'call', 'echo', 'probe'];

  it('of pvkit names every command and the exit codes', async () => {
    const { stdout, stderr, exitCode } = await run(['--help']);
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command} .*\\S`, 'mu'));
    expect(stdout).toContain('Exit codes: 0 done, 1 failed or timed out, 2 bad usage or configuration.');
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  });

  it.each(commands)('of %s says what it does, with examples', async (command) => {
    const { stdout, exitCode } = await run([command, '--help']);
    expect(stdout).toMatch(new RegExp(`^Usage: pvkit ${command} `, 'u'));
    const [, examples = ''] = stdout.split('\nExamples:\n');
    expect(examples.match(new RegExp(`^  pvkit ${command}`, 'gmu'))?.length).toBeGreaterThanOrEqual(2);
    expect(await run(['help', command])).toEqual({ stdout, stderr: '', exitCode });
    expect(exitCode).toBe(0);
  });

  it('of a command within a command is had either way', async () => {
    const { stdout } = await run(['channel', 'create', '--help']);
    expect(stdout).toMatch(/^Usage: pvkit channel create /u);
    for (const words of [
      ['help', 'channel', 'create'],
      ['channel', 'help', 'create'],
    ]) {
      expect(await run(words)).toEqual({ stdout, stderr: '', exitCode: 0 });
    }
  });

  it('fills the width of the terminal and no more', async () => {
    const { stdout } = await run(['get', '--help']);
    const widths = stdout.split('\n').map((line) => line.length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(100);
    expect(Math.max(...widths)).toBeGreaterThan(85);
  });
});

it.each(['--version', '-V'])('%s prints the version, and loads no command for it', async (flag) => {
  const stdout = new MemoryOutput();
  const interrupt = new AbortController().signal;
  const terminal = { stdin: nothing, stdout, stderr: new MemoryOutput(), environment: {}, folder: '.', interrupt };
  const unreachable = (): never => expect.unreachable('the network was loaded');
  expect(await runCli([flag], terminal, unreachable)).toBe(0);
  expect(stdout.text).toMatch(/^\d+\.\d+\.\d+\n$/u);
});

it('calls what nobody foresaw an internal error, without its stack', async () => {
  const environment: CliHost['environment'] = new Proxy(
    {},
    {
      ownKeys() {
        throw new RangeError('the environment is broken');
      },
    },
  );
  const stderr = new MemoryOutput();
  const interrupt = new AbortController().signal;
  const terminal = { stdin: nothing, stdout: new MemoryOutput(), stderr, environment, folder: '.', interrupt };
  const exitCode = await runCli(['get', 'x'], terminal, async () => ({ clock: new ManualClock(), network: FORBIDDEN }));
  expect(stderr.text).toBe('pvkit: internal error: the environment is broken; -d shows where\n');
  expect(exitCode).toBe(1);
});
