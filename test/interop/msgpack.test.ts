// Can a stranger write a client from docs/msgpack.md? The one in examples/, Python with its `msgpack` package and nothing
// else, against `pvkit serve`; and a client of pvxs on the same server does not notice.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { pvkit } from './support/command.ts';
import { endEverything, LineProcess, runToEnd, type Environment } from './support/line-process.ts';
import { clientEnvironment, freeTcpPort, LOOPBACK } from './support/loopback.ts';
import { P4pClient } from './support/p4p-client.ts';
import { PYTHON, startPvkit, type ServedAt } from './support/peers.ts';

const CLIENT = 'examples/msgpack_client.py';
const PVS = [
  'lab:a=double:1.5',
  'lab:big=long:9007199254740993',
  'lab:wave=int[]',
  'lab:shorts=short[]:[1,-2,3]',
  'lab:mode=enum(Off|On):On',
  'lab:text=string:größe',
];

let served: ServedAt;
let server: string;
let udp: Environment;

beforeAll(async () => {
  const port = await freeTcpPort();
  server = `${LOOPBACK}:${port}`;
  served = await startPvkit(['--msgpack-port', String(port), ...PVS.flatMap((pv) => ['--pv', pv])]);
  udp = clientEnvironment(served.udpPort);
});
afterAll(endEverything);

/** What the client prints; it has to end well. */
async function python(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await runToEnd(PYTHON, [CLIENT, server, ...words], {});
  expect(`${stderr}${code}`).toBe('0');
  return stdout;
}

async function value(pvName: string): Promise<unknown> {
  const { value: found } = JSON.parse(await python('get', pvName)) as { readonly value: unknown };
  return found;
}

describe('the Python client of examples/', () => {
  it('gets values of every kind', async () => {
    expect(await value('lab:a')).toBe(1.5);
    // As text: JavaScript's JSON has no integers of 64 bits.
    expect(await python('get', 'lab:big')).toContain('"value": 9007199254740993,');
    expect(await value('lab:shorts')).toEqual([1, -2, 3]);
    expect(await value('lab:mode')).toMatchObject({ index: 1, choices: ['Off', 'On'] });
    expect(await value('lab:text')).toBe('größe');
  });

  it('puts values, which clients of pvAccess read', async () => {
    await python('put', 'lab:a', '42.25');
    await python('put', 'lab:wave', '[5, -6, 7]');
    await python('put', 'lab:big', '-9223372036854775808');
    await python('put', 'lab:mode', '{"value": {"index": 0}}');
    const { stdout } = await pvkit(['get', '--json', '-r', 'value', 'lab:a', 'lab:wave', 'lab:big', 'lab:mode'], udp);
    const read = stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { value: { value: unknown } }).value.value);
    expect(read).toEqual([42.25, [5, -6, 7], '-9223372036854775808', { index: 0, choices: ['Off', 'On'] }]);
  });

  it('watches: each update has what changed', async () => {
    const watching = new LineProcess(PYTHON, [CLIENT, server, 'monitor', 'lab:a', '3'], {});
    const first = JSON.parse(await watching.lineWith('changed')) as { changed: object };
    expect(Object.keys(first.changed)).toEqual(expect.arrayContaining(['value', 'alarm', 'timeStamp']));
    for (const next of ['7', '8.5']) {
      await pvkit(['put', 'lab:a', next], udp);
      const update = JSON.parse(await watching.lineWith('changed')) as {
        value: { value: number; alarm: object };
        changed: object;
        overrun: object;
      };
      expect(update.value.value).toBe(Number(next));
      expect(update.value.alarm).toMatchObject({ severity: 0 });
      expect(Object.keys(update.changed)).toEqual(['value', 'timeStamp']);
      expect(update.overrun).toEqual({});
    }
    expect(await watching.exited).toBe(0);
  });

  it('is told what the server refuses', async () => {
    const { code, stderr } = await runToEnd(PYTHON, [CLIENT, server, 'get', 'lab:nosuch'], {});
    expect(stderr).toContain("lab:nosuch: there is no PV 'lab:nosuch' here");
    expect(code).toBe(1);
  });
});

describe('beside it on the same server', () => {
  it('a client of pvxs reads, writes and watches as ever', async () => {
    const client = await P4pClient.start(udp);
    await pvkit(['put', '--codec', 'msgpack', 'lab:a', '3.5'], udp);
    expect(JSON.stringify(await client.get('lab:a'))).toContain('3.5');
    const { stdout } = await pvkit(['get', '--codec', 'msgpack', '--json', '-r', 'value', 'lab:a'], udp);
    expect(JSON.parse(stdout)).toMatchObject({ value: { value: 3.5 } });
  });
});

describe('the vectors of test/vectors/msgpack', () => {
  it("are those that Python's msgpack makes", async () => {
    const script = 'test/vectors/msgpack/make_vectors.py';
    const { code, stderr } = await runToEnd(PYTHON, [script, '--check'], {});
    expect(`${stderr}${code}`).toBe('0');
  });
});
