// What does a diagnosis find out? Facts about searches, name servers and servers, and the findings that follow from them.

import type { ChannelRights } from './channel-rights.ts';

/** What somebody answered to a search. */
export interface SearchAnswer {
  /** 24 hexadecimal digits. */
  readonly guid: string;
  /** `host:port` to connect to, as the server says. */
  readonly server: string;
  readonly protocol: string;
  /** Version of the protocol that the server speaks. */
  readonly version: number;
  /** `host:port` that the answer came from. */
  readonly via: string;
  readonly roundTripMs: number;
  /** Whether it says that it has the PV; false when none was asked for. */
  readonly hasPv: boolean;
}

/** One place to which searches went. */
export interface SearchTrial {
  /** `host:port` */
  readonly to: string;
  readonly kind: 'broadcast' | 'multicast' | 'unicast';
  /** The interface that leads there, as far as that can be told. */
  readonly via: { readonly name: string; readonly address: string } | undefined;
  /** False: the configuration does not search there, the diagnosis did. */
  readonly isConfigured: boolean;
  /** Whether the address is one of EPICS_PVA_ADDR_LIST. */
  readonly isListed: boolean;
  readonly sentCount: number;
  /** Why nothing, or not everything, could be sent. */
  readonly errors: readonly string[];
  /** One for each server, the first to come. */
  readonly answers: readonly SearchAnswer[];
}

/** How far one came with a server over TCP. */
export type VisitStage =
  /** No TCP connection. */
  | 'connecting'
  /** Connected; the server said nothing, or what no server says. */
  | 'connected'
  /** The server did not let us in. */
  | 'greeted'
  /** All is well. */
  | 'validated';

/** What became of CREATE_CHANNEL. */
export type ChannelTrial =
  | { readonly state: 'created'; readonly typeId: string | undefined; readonly rights: ChannelRights | undefined }
  | { readonly state: 'refused'; readonly reason: string }
  | { readonly state: 'silent' };

/** One server, looked at over TCP. */
export interface Visit {
  /** `host:port` */
  readonly server: string;
  readonly stage: VisitStage;
  /** What ended the visit before its time; undefined when time was up, or all is well. */
  readonly failure: { readonly code: string; readonly text: string } | undefined;
  readonly connectMs: number | undefined;
  readonly version: number | undefined;
  readonly byteOrder: 'little endian' | 'big endian' | undefined;
  /** Offered by the server, best last. */
  readonly authMethods: readonly string[];
  /** The one that we used. */
  readonly authMethod: string | undefined;
  /** What the server said against us, letting us in all the same. */
  readonly remark: string | undefined;
  readonly echoMs: number | undefined;
  /** Only of servers that were asked to search. */
  readonly search:
    | { readonly state: 'found' | 'notFound' | 'silent'; readonly roundTripMs: number | undefined }
    | undefined;
  /** Where the PV is, according to the search: `host:port`. */
  readonly foundAt: SearchAnswer | undefined;
  readonly channel: ChannelTrial | undefined;
}

/** A name server of the configuration. */
export interface NameServerTrial {
  /** As the configuration has it. */
  readonly name: string;
  /** Undefined when the host name is not known. */
  readonly visit: Visit | undefined;
}

/** A server that answered, or was asked because it might have the PV. */
export interface ServerTrial {
  readonly guid: string | undefined;
  readonly server: string;
  /** How it was come by. */
  readonly source: 'search' | 'nameServer' | 'guess';
  readonly hasPv: boolean;
  readonly visit: Visit;
  /** Names that it lists, where that was asked. */
  readonly listsPv: boolean | undefined;
  /** A name that it lists and that is much like the one searched for. */
  readonly nearName: string | undefined;
}

/** What can be said of the UDP port of searches on this host. */
export interface UdpPortState {
  readonly port: number;
  /** `free`: nobody has it. `shared`: somebody has, and lets others have it, too. `taken`: nobody else can have it. */
  readonly state: 'free' | 'shared' | 'taken';
}

/** A server that was heard of by its beacon only. */
export interface HeardBeacon {
  readonly guid: string;
  readonly server: string;
  readonly via: string;
}

/** What a finding is about, for programs. */
export type FindingCode =
  | 'nowhereToSearch'
  | 'hostUnknown'
  | 'searchNotSent'
  | 'addressSilent'
  | 'noAnswer'
  | 'portTaken'
  | 'foundElsewhere'
  | 'foundByTcpOnly'
  | 'beaconOnly'
  | 'notServed'
  | 'listedButSilent'
  | 'otherProtocol'
  | 'loopbackAdvertised'
  | 'tcpRefused'
  | 'tcpSilent'
  | 'tcpFailed'
  | 'notGreeted'
  | 'notValidated'
  | 'credentialsRefused'
  | 'channelRefused'
  | 'channelSilent'
  | 'duplicatePv'
  | 'nameServerUnknown'
  | 'nameServerRefused'
  | 'nameServerSilent'
  | 'nameServerFailed'
  | 'nameServerDeaf';

/** A sentence about what is wrong or odd, and what can be done. */
export interface Finding {
  readonly level: 'problem' | 'warning';
  readonly code: FindingCode;
  readonly text: string;
  readonly advice: string;
}

/** What `diagnose` found out about one PV, or about the network. */
export interface Diagnosis {
  readonly pvName: string | undefined;
  readonly searches: readonly SearchTrial[];
  readonly udpPort: UdpPortState;
  readonly nameServers: readonly NameServerTrial[];
  readonly servers: readonly ServerTrial[];
  /** Heard while waiting; only where nothing was found at once. */
  readonly beacons: readonly HeardBeacon[];
  /** Gravest first. */
  readonly findings: readonly Finding[];
  /** No problem was found. */
  readonly isWell: boolean;
}
