// The public names of pvkit, listed by hand.

// What a server hosts.
export type { CallRequest, Channel, ChannelUpdate, PutRequest, Subscriber } from './channels/channel.ts';
export type { Peer } from './channels/peer.ts';
export { SharedPV, type SharedPVOptions } from './channels/shared-pv.ts';
export { StaticSource, type Source } from './channels/source.ts';

// The server.
export {
  SERVER_NOTICES,
  type GeneralNotice,
  type LinkNotice,
  type NoticeLevel,
  type ServerCounters,
  type ServerNotice,
} from './server/notices.ts';
export { Server, type ServerOptions } from './server/server.ts';
