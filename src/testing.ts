// What a test of a program that uses pvkit needs: an in-memory network, a clock moved by hand, the suite of all stores.
export { channelStoreSuite, type ChannelStoreSuite } from './channels/stores/suite/store-suite.ts';
export type { StoreWorld } from './channels/stores/suite/suite-support.ts';
export { systemClock } from './transport/clocks.ts';
export type { Clock, TimerHandle } from './transport/clocks.ts';
export { ManualClock } from './transport/manual-clock.ts';
export { MemoryNetwork } from './transport/memory-network.ts';
export type { MemoryHost, MemoryNetworkOptions } from './transport/memory-network.ts';
export type {
  Endpoint,
  Network,
  NetworkInterface,
  TcpConnection,
  TcpListener,
  UdpSocket,
} from './transport/network.ts';
export { nodeNetwork } from './transport/node-network.ts';
