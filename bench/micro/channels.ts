// How fast are channels made and destroyed, many in one piece, without the kernel?

import { SharedPV } from '#src/channels/shared-pv.js';
import { ntScalar } from '#src/protocol/normative/nt-scalar.js';
import { double } from '#src/protocol/types/type-desc.js';
import { bytesOf, MemoryServer } from './memory-server.ts';
import type { Line } from './subject.ts';

const CHANNELS = 1_000;

export async function channels(): Promise<readonly Line[]> {
  const pvNames = Array.from({ length: CHANNELS }, (_, index) => `bench:pv${index}`);
  const pv = new SharedPV(ntScalar(double), { initial: { value: 0 } });
  const memory = await MemoryServer.open(Object.fromEntries(pvNames.map((name) => [name, pv])));
  const link = await memory.connect();
  const create = bytesOf(
    ...pvNames.map((pvName, cid) => ({ command: 'CREATE_CHANNEL', channels: [{ cid, pvName }] }) as const),
  );
  /** The server counts channels on, so which ones there are is known. */
  let nextSid = (await link.createChannel('bench:pv0')) + 1;
  return [
    {
      name: 'channel: create and destroy, 1000 pipelined',
      fastPath: 'no closures for each channel',
      operations: CHANNELS,
      run: () => {
        const created = link.exchange(create);
        const first = nextSid;
        nextSid += CHANNELS;
        const destroyed = link.exchange(
          bytesOf(...pvNames.map((_, cid) => ({ command: 'DESTROY_CHANNEL', sid: first + cid, cid }) as const)),
        );
        if (created === 0 || destroyed === 0) throw new Error('no replies');
      },
    },
  ];
}
