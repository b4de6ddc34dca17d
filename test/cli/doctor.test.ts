// What does `pvkit doctor` print, and how does it end?

import { afterEach, beforeAll, describe, expect, it } from 'vitest';

import { AccessRules, Server, SharedPV, resolveServerConfig } from '../../src/index.ts';
import { double, ntScalar } from '../../src/protocol/index.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork, type MemoryHost } from '../../src/transport/memory-network.ts';
import { run, serve, start, type Ended, type RunOptions } from './support.ts';

const clock = new ManualClock();
let network = new MemoryNetwork({ clock });
let closing: (() => Promise<unknown>)[] = [];

// Loaded before: time that is moved by hand does not wait for files.
beforeAll(() => Promise.all([import('../../src/cli/doctor.ts'), import('../../src/cli/interrupted.ts')]));

afterEach(async () => {
  for (const close of closing) await clock.until(close());
  closing = [];
  network = new MemoryNetwork({ clock });
});

async function serveX(host: MemoryHost): Promise<void> {
  const pvs = { 'lab:x': SharedPV.mailbox(ntScalar(double), { initial: { value: 1 } }) };
  const config = resolveServerConfig({ processEnvironment: { EPICS_PVAS_AUTO_BEACON_ADDR_LIST: 'NO' } });
  const server = new Server({ network: host, clock, pvs, config });
  await clock.until(server.listen());
  closing.push(() => server.close());
}

function doctor(words: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const host = options.network ?? network.host('client');
  return clock.until(run(['doctor', ...words], { clock, ...options, network: host }));
}

function withoutGuid(text: string): string {
  return text.replaceAll(/0x[\da-f]{24}/gu, 'GUID');
}

describe('doctor', () => {
  it('tells what it sees, and that all is well', async () => {
    const client = network.host('client');
    await serveX(network.host('server'));
    const { stdout, stderr, exitCode } = await doctor(['lab:x'], { network: client });
    expect(withoutGuid(stdout)).toBe(
      `searches     lo 127.0.0.1:5076 (unicast): no answer
             eth0 10.0.0.255:5076 (broadcast): 10.0.0.2:5075 has it, 0.000 ms, version 2, guid GUID
udp port     5076 is used by nobody on this host
servers      10.0.0.2:5075: connects in 0.000 ms, version 2, little endian, auth ca of anonymous ca, echo in 0.000 ms, has lab:x (epics:nt/NTScalar:1.0), guid GUID
all is well: lab:x is at 10.0.0.2:5075
`,
    );
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  });

  it('tells what is wrong and what helps, and ends with 1', async () => {
    const client = network.host('client');
    await serveX(network.host('server'));
    const environment = { EPICS_PVA_AUTO_ADDR_LIST: 'NO', EPICS_PVA_NAME_SERVERS: '10.0.0.2:9 nosuch' };
    const { stdout, exitCode } = await doctor(['lab:x'], { network: client, environment });
    expect(withoutGuid(stdout)).toBe(
      `searches     lo 127.0.0.1:5076 (unicast, not configured): no answer
             eth0 10.0.0.255:5076 (broadcast, not configured): 10.0.0.2:5075 has it, 0.000 ms, version 2, guid GUID
udp port     5076 is used by nobody on this host
name servers 10.0.0.2:9: no connection to 10.0.0.2:9: connection refused (ECONNREFUSED)
             nosuch:5075: no such host
servers      10.0.0.2:5075: connects in 0.000 ms, version 2, little endian, auth ca of anonymous ca, echo in 0.000 ms, has lab:x (epics:nt/NTScalar:1.0), guid GUID
problem: Name server 10.0.0.2:9 refuses TCP connections.
    EPICS_PVA_NAME_SERVERS has to name host and TCP port of a server that is running; is a tunnel down?
problem: Name server nosuch:5075 has a host name that is not known to this host.
    Correct the name in EPICS_PVA_NAME_SERVERS, or use the IP address.
problem: 10.0.0.2:5075 has lab:x and answers at 10.0.0.255:5076, where the configuration does not search.
    Set EPICS_PVA_AUTO_ADDR_LIST=YES
`,
    );
    expect(exitCode).toBe(1);
  });

  it('without a name looks for servers, and with -v tells every answer', async () => {
    const client = network.host('client');
    await serveX(network.host('server'));
    const { stdout, exitCode } = await doctor([], { network: client });
    expect(stdout).toContain('eth0 10.0.0.255:5076 (broadcast): 1 server answers, the first in 0.000 ms\n');
    expect(stdout).toMatch(/^all is well: 1 server answers\n$/mu);
    expect(exitCode).toBe(0);
    const verbose = await doctor(['-v'], { network: client });
    expect(verbose.stdout).toMatch(/\(broadcast\): 10\.0\.0\.2:5075 answers, 0\.000 ms, version 2, guid 0x/u);
    expect(verbose.stderr).toMatch(/^search by broadcast +true +default$/mu);
    const misspelt = await doctor(['lab:y'], { network: client });
    expect(misspelt.stdout).toContain('1 server answers, without having it, the first in 0.000 ms\n');
    expect(misspelt.stdout).toContain('Did you mean lab:x, which 10.0.0.2:5075 has?\n');
  });

  it('prints one JSON object with --json', async () => {
    const client = network.host('client');
    await serveX(network.host('server'));
    const { stdout, exitCode } = await doctor(['--json', 'lab:x'], { network: client });
    expect(stdout.split('\n')).toHaveLength(2);
    expect(JSON.parse(stdout)).toMatchObject({
      pvName: 'lab:x',
      isWell: true,
      findings: [],
      udpPort: { port: 5076, state: 'free' },
      searches: [{}, { to: '10.0.0.255:5076', answers: [{ guid: expect.stringMatching(/^0x/u) as string }] }],
      servers: [{ server: '10.0.0.2:5075', visit: { byteOrder: 'little endian' } }],
    });
    expect(exitCode).toBe(0);
  });

  it('in colours on a terminal, and never what a peer could steer it with', async () => {
    const { stdout, exitCode } = await doctor(['\u001b[31mx'], { isTerminal: true });
    expect(stdout).toContain('\u001b[31mproblem:\u001b[39m No server answers');
    expect(stdout).not.toContain('\u001b[31mx');
    expect(exitCode).toBe(1);
  });

  it('takes the time of -w when nothing is found, and ends at ^C', async () => {
    const client = network.host('client');
    const begin = clock.now();
    await doctor(['-w', '2', 'lab:x'], { network: client });
    expect(clock.now() - begin).toBe(2_000);
    const running = start(['doctor', 'lab:x'], { network: client, clock });
    clock.after(100, () => running.interrupt());
    expect(await clock.until(running.exitCode)).toBe(1);
    expect(running.stderr.text).toBe('Interrupted\n');
  });

  it('tells what may not be written, and who refuses a channel', async () => {
    const client = network.host('client');
    const pvs = { x: new SharedPV(ntScalar(double), { initial: { value: 1 } }) };
    const config = { ...resolveServerConfig({ processEnvironment: {} }), autoBeacon: false };
    const access = new AccessRules([{ channel: 'x', allow: 'read' }]);
    const server = new Server({ network: network.host('server'), clock, pvs, config, access });
    await clock.until(server.listen());
    closing.push(() => server.close());
    const { stdout, exitCode } = await doctor(['x'], { network: client });
    expect(stdout).toContain('has x (epics:nt/NTScalar:1.0), no right to put, guid');
    expect(exitCode).toBe(0);
    server.setAccess(new AccessRules([{ user: 'somebody', allow: 'read' }]));
    const refused = await doctor(['x'], { network: client });
    expect(refused.stdout).toMatch(/^servers .* refuses the channel, guid/mu);
    expect(refused.stdout).toMatch(/^problem: 10\.0\.0\.2:5075 answers searches for x, but refuses the channel: .+$/mu);
    expect(refused.exitCode).toBe(1);
  });

  it('finds a server on real sockets', async () => {
    const server = await serve(['--pv', 'lab:x=int']);
    const { stdout, exitCode } = await run(['doctor', 'lab:x'], { environment: server.environment });
    expect(stdout).toMatch(new RegExp(`\\nall is well: lab:x is at 127\\.0\\.0\\.1:${server.tcpPort}\\n$`, 'u'));
    expect(stdout).toMatch(/^udp port +\d+ is shared with other programs of this host$/mu);
    expect(exitCode).toBe(0);
    expect(await server.stop()).toBe(0);
  });
});
