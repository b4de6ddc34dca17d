// Does what a server says to people about a request reach the person who sits at the command line?

import { afterAll, beforeAll, expect, it } from 'vitest';
import { Server, SharedPV, type TellLevel } from '../../src/index.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { configWith, LOOPBACK } from '../support/server-world.ts';
import { run } from './support.ts';

const TYPE = ntScalar(double);

const server = new Server({
  config: configWith({ tcpPort: 0, udpPort: 0, interfaces: [LOOPBACK], autoBeacon: false }),
  pvs: {
    'lab:x': new SharedPV(TYPE, {
      initial: { value: 1 },
      onPut: ({ tell }) => {
        for (const level of ['info', 'warning', 'error'] satisfies TellLevel[]) tell(`it is ${level}`, level);
      },
      onCall: ({ tell }) => {
        tell('calculated by hand');
        return { type: TYPE, value: { value: 2 } };
      },
    }),
  },
});

beforeAll(() => server.listen());
afterAll(() => server.close());

const environment = () => ({
  EPICS_PVA_ADDR_LIST: '127.0.0.1',
  EPICS_PVA_AUTO_ADDR_LIST: 'NO',
  EPICS_PVA_BROADCAST_PORT: String(server.udpPort),
});

it('prints it to stderr under the name of the PV, and the result to stdout alone', async () => {
  const { stdout, stderr, exitCode } = await run(['put', 'lab:x', '3'], { environment: environment() });
  expect([stdout, exitCode]).toEqual(['', 0]);
  const lines = stderr.split('\n').map((line) => line.replace(/^\S+ \S+ /u, ''));
  expect(lines).toEqual(['info: lab:x: it is info', 'warning: lab:x: it is warning', 'error: lab:x: it is error', '']);
});

it('does so for a call', async () => {
  const { stdout, stderr, exitCode } = await run(['call', 'lab:x'], { environment: environment() });
  expect(stdout).toContain('double value = 2');
  expect(stderr).toContain('info: lab:x: calculated by hand');
  expect(exitCode).toBe(0);
});
