// Do real clients cope with access rules: with ACL_CHANGE, refused puts, hidden PVs, and rules that change under them? And
// does pvkit's client hear what core-pva's server says of rights?

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { pvkit } from './support/command.ts';
import { contextOf } from './support/library.ts';
import { endEverything, LineProcess, type Environment } from './support/line-process.ts';
import { clientEnvironment } from './support/loopback.ts';
import { P4pClient } from './support/p4p-client.ts';
import { JAVA_CLASSES, PEERS, startJavaServer, startPvkit, type ServedAt } from './support/peers.ts';
import { javaEnvironment, pvaclient } from './support/pvaclient.ts';
import { fieldAt } from './support/tagged.ts';
import { nextUpdate } from './support/updates.ts';

const CHANNELS = ['rw', 'ro', 'hidden']
  .map((name) => `[[channels]]\nname = "acl:${name}"\ntype = "double"\nvalue = 1.5\n`)
  .join('');
const rule = (channel: string, allow: string): string => `[[access]]\nchannel = "${channel}"\nallow = "${allow}"\n`;
const RULES = rule('acl:rw', 'write') + rule('acl:hidden', 'none') + rule('*', 'read');
const REFUSED = /user '.*' (on host '.+' )?at 127\.0\.0\.1 needs write access to 'acl:ro' and has read/u;

let folder = '';
let server: ServedAt;
let udp: Environment;

/** Has the server read these rules. */
async function rules(text: string): Promise<void> {
  writeFileSync(join(folder, 'acl.toml'), `[log]\nlevel = "info"\n${text}${CHANNELS}`);
  const { process } = server;
  process.stderr = '';
  process.kill('SIGHUP');
  await process.stderrWith('access rules read again');
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pvkit-acl-'));
  writeFileSync(join(folder, 'acl.toml'), `[log]\nlevel = "info"\n${RULES}${CHANNELS}`);
  server = await startPvkit([join(folder, 'acl.toml'), '--demo']);
  udp = clientEnvironment(server.udpPort);
});
afterAll(async () => {
  await endEverything();
  rmSync(folder, { recursive: true });
});
beforeEach(() => rules(RULES));

describe('p4p (pvxs)', () => {
  let p4p: P4pClient;
  beforeAll(async () => {
    p4p = await P4pClient.start(udp);
  });
  afterAll(() => p4p.end());

  it('reads, writes what it may, and is refused the rest with the sentence', async () => {
    await p4p.put('acl:rw', 3.5);
    expect(fieldAt(await p4p.get('acl:rw'), 'value')).toBe(3.5);
    await expect(p4p.put('acl:ro', 9)).rejects.toThrow(REFUSED);
    expect(fieldAt(await p4p.get('acl:ro'), 'value')).toBe(1.5);
    await expect(p4p.rpc('demo:add', [['lhs', 'd', 1]])).rejects.toThrow(
      /needs call access to 'demo:add' and has read/u,
    );
  });

  it('does not find what nobody may use', async () => {
    await expect(p4p.get('acl:hidden', { timeout: 0.5 })).rejects.toThrow(/acl:hidden|timed? ?out/iu);
  });

  it('follows a PV while its rights come and go', async () => {
    const monitor = await p4p.monitor('acl:rw');
    await nextUpdate(monitor);
    await rules(rule('*', 'read'));
    await expect(p4p.put('acl:rw', 4)).rejects.toThrow(/needs write access to 'acl:rw' and has read/u);
    await rules(RULES);
    await p4p.put('acl:rw', 5);
    expect(fieldAt(await nextUpdate(monitor), 'value')).toBe(5);
    // The channel is taken away, and comes back some time after it is allowed again.
    await rules(rule('acl:rw', 'none') + rule('*', 'read'));
    expect(await monitor.next()).toEqual({ event: 'disconnected' });
    await rules(RULES);
    expect(fieldAt(await nextUpdate(monitor, 60), 'value')).toBe(5);
    await monitor.stop();
  }, 90_000);

  it('is told when it may not read any more', async () => {
    const monitor = await p4p.monitor('acl:ro');
    await nextUpdate(monitor);
    await rules(rule('acl:ro', 'call') + rule('*', 'read'));
    const event = await monitor.next();
    expect(JSON.stringify(event)).toMatch(/needs read access to 'acl:ro' and has call/u);
    await monitor.stop();
  });
});

describe('core-pva (Phoebus)', () => {
  it('knows what it may write before it has the channel, and hears of changes', async () => {
    const java = new LineProcess(
      'java',
      ['-cp', JAVA_CLASSES, `${PEERS}JavaRights.java`, 'acl:rw', 'acl:ro'],
      javaEnvironment(udp),
    );
    const heard: string[] = [];
    while (heard.filter((line) => line.includes('CONNECTED')).length < 2) heard.push(await java.line());
    const about = (name: string) => heard.filter((line) => line.includes(name) && /writable|CONNECTED/u.test(line));
    // Writable is what it takes for granted, so it tells of the other alone.
    expect(about('acl:rw').at(-1)).toBe('{"name":"acl:rw","state":"CONNECTED"}');
    expect(about('acl:rw')).not.toContain('{"name":"acl:rw","writable":false}');
    expect(about('acl:ro')).toEqual(['{"name":"acl:ro","writable":false}', '{"name":"acl:ro","state":"CONNECTED"}']);
    java.write('acl:ro 7');
    expect(await java.lineWith('refused')).toMatch(REFUSED);
    await rules(rule('acl:ro', 'write') + rule('*', 'read'));
    await java.lineWith('{"name":"acl:ro","writable":true}');
    java.write('acl:ro 7');
    expect(await java.lineWith('put')).toBe('{"name":"acl:ro","put":true}');
    await java.end('SIGKILL');
  });

  it('pvaclient gets, watches and puts as ever', async () => {
    expect((await pvaclient(['get', 'acl:ro'], udp)).stdout).toContain('double value');
    await pvaclient(['put', 'acl:rw', '8.5'], udp);
    expect((await pvaclient(['get', 'acl:rw'], udp)).stdout).toContain('double value 8.5');
    const { stdout, stderr } = await pvaclient(['put', 'acl:ro', '7'], udp);
    expect(stdout + stderr).toMatch(REFUSED);
  });
});

describe('pvkit’s client', () => {
  it('shows what core-pva’s server tells of rights', async () => {
    const java = await startJavaServer();
    const environment = clientEnvironment(java.udpPort);
    const context = contextOf(environment);
    // core-pva tells of PUT alone.
    expect((await context.info('java:double')).rights).toEqual({ put: true, putGet: false, rpc: false });
    expect((await context.info('java:readonly')).rights).toEqual({ put: false, putGet: false, rpc: false });
    const { stdout } = await pvkit(['info', 'java:double', 'java:readonly'], environment);
    expect(stdout).toMatch(/^java:double from \S+, rights: put$/mu);
    expect(stdout).toMatch(/^java:readonly from \S+, rights: read-only$/mu);
    await context.close();
    await java.process.end();
  });
});
