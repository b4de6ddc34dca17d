// What does a client's GET cost, without the kernel, when the same PV is read again and again?

import { Context } from '#src/client/context.js';
import { resolveClientConfig } from '#src/config/effective.js';
import { SharedPV } from '#src/channels/shared-pv.js';
import { ntScalar } from '#src/protocol/normative/nt-scalar.js';
import { parsePvRequest } from '#src/protocol/pv-request.js';
import { double } from '#src/protocol/types/type-desc.js';
import { MemoryServer } from './memory-server.ts';
import type { Line } from './subject.ts';

const OPERATIONS = 20;

export async function clientGet(): Promise<readonly Line[]> {
  const { clock, host, server } = await MemoryServer.open({
    'bench:get': new SharedPV(ntScalar(double), { initial: { value: 1.5 } }),
  });
  const context = new Context({ clock, network: host, config: resolveClientConfig({ processEnvironment: {} }) });
  const at = `127.0.0.1:${server.tcpPort}`;

  async function reads(request: () => ReturnType<typeof parsePvRequest> | string): Promise<unknown> {
    let value: unknown;
    for (let count = 0; count < OPERATIONS; count++) {
      value = await clock.until(context.get('bench:get', { server: at, request: request() }));
    }
    return value;
  }

  return [
    {
      name: 'client: GET one after the other',
      fastPath: 'the operation is kept: one round trip',
      operations: OPERATIONS,
      run: () => reads(() => ''),
      // Another object each time is another request, which has its own INIT and its own end.
      plain: () => reads(() => parsePvRequest('')),
    },
  ];
}
