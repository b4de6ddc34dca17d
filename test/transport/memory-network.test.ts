import { testNetwork } from './network-suite.ts';
import { MemoryNetwork } from '../../src/transport/memory-network.ts';
for (const seed of [1, 2, 3]) {
  testNetwork(`the memory network, seed ${seed}`, () => {
    const net = new MemoryNetwork({ seed, delayMs: [0, 2] });
    return { here: net.host('here'), there: net.host('there'), address: '10.0.0.2', broadcast: '10.0.0.255' };
  });
}
