// How fast is a search answered, from datagram to datagram, without the kernel?

import { SharedPV } from '#src/channels/shared-pv.js';
import { ntScalar } from '#src/protocol/normative/nt-scalar.js';
import { double } from '#src/protocol/types/type-desc.js';
import { bytesOf, MemoryServer } from './memory-server.ts';
import type { Line } from './subject.ts';

const PVS = 10_000;

export async function search(): Promise<readonly Line[]> {
  const pv = new SharedPV(ntScalar(double), { initial: { value: 0 } });
  const pvs = Object.fromEntries(Array.from({ length: PVS }, (_, index) => [`bench:pv${index}`, pv]));
  const memory = await MemoryServer.open(pvs);
  let replies = 0;
  const socket = await memory.clock.until(
    memory.host.bindUdp({ address: '127.0.0.1', port: 0 }, { message: () => replies++, error: () => undefined }),
  );
  return [lineOf(1), lineOf(50)];

  function lineOf(names: number): Line {
    const datagram = bytesOf({
      command: 'SEARCH',
      sequenceId: 1,
      flags: 0,
      responseAddress: '0.0.0.0',
      responsePort: socket.local.port,
      protocols: ['tcp'],
      names: Array.from({ length: names }, (_, index) => ({ instanceId: index, pvName: `bench:pv${index * 100}` })),
    });
    const to = { address: '127.0.0.1', port: memory.server.udpPort };
    return {
      name: `search: ${names} ${names === 1 ? 'name' : 'names'} a datagram`,
      fastPath: 'answered from one table, names decoded once',
      operations: names,
      run: () => {
        const before = replies;
        socket.send(datagram, to);
        memory.clock.advance(0);
        if (replies !== before + 1) throw new Error(`${replies - before} replies to one search`);
      },
    };
  }
}
