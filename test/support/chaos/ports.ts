// Which ports of a network are open? A network that counts its listeners and UDP sockets, to see that none is left.

import type { Network } from '../../../src/transport/network.ts';

/** The network as it is; what is open is in `open`, by what and where. */
export function countPorts<N extends Network>(network: N, open: Set<string>): N {
  let nextId = 0;
  const opened = (what: string): (() => void) => {
    const key = `${what} #${nextId++}`;
    open.add(key);
    return () => void open.delete(key);
  };
  return {
    ...network,
    async listenTcp(options, accept) {
      const listener = await network.listenTcp(options, accept);
      const gone = opened(`TCP ${listener.local.address}:${listener.local.port}`);
      return {
        local: listener.local,
        get errorCount() {
          return listener.errorCount;
        },
        close: async () => listener.close().then(gone),
      };
    },
    async bindUdp(options, handlers) {
      const socket = await network.bindUdp(options, handlers);
      const gone = opened(`UDP ${socket.local.address}:${socket.local.port}`);
      return {
        local: socket.local,
        get errorCount() {
          return socket.errorCount;
        },
        send: (bytes, to) => socket.send(bytes, to),
        joinGroup: (group, via) => socket.joinGroup(group, via),
        setMulticast: (via, ttl, loopback) => socket.setMulticast(via, ttl, loopback),
        close: () => {
          socket.close();
          gone();
        },
      };
    },
  };
}
