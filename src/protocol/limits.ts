// Every bound that a peer or a user can push against, with the reason for its default.

/** Every bound that a peer or a user can push against. A server's can be set one by one in the TOML file. */
export interface Limits {
  /**
   * Bytes of one message body, joined segments included. A full 4k x 4k 16-bit image fits; past it the link is closed. What
   * a server would answer with more, or with more than the default if this is less, is an ERROR: it could not be read.
   */
  readonly maxBodyBytes: number;
  /**
   * Bytes of one message body past which we send it in segments of that size. By default what the header can say, so
   * that nothing is cut: every peer takes large messages whole. Both C++ peers also take any number of segments.
   */
  readonly maxSegmentBytes: number;
  /** Levels of nesting in one type, and of any in any in one value. pvxs refuses past 20. */
  readonly maxTypeNesting: number;
  /** Nodes of one type, all levels counted: type ids let 500 bytes claim a thousand million. */
  readonly maxTypeFields: number;
  /** Entries of the type registry, for each direction of a link. The id is 16 bits wide, so this is all there are. */
  readonly maxTypeRegistryEntries: number;
  /**
   * Nodes of the types in sum that one client may name by ids, so that 65 536 large types are no way to take memory: each
   * takes up to 1 300 bytes, most of it to be known. Clients have a few pvRequests and arguments of RPCs, of 5 to 50 nodes.
   * Past it the link is closed. What a server tells its client may be more (`maxServerTypeFields`).
   */
  readonly maxTypeRegistryFields: number;
  /** Bytes of the descriptions of those types in sum: a name may be as long as a message. 32 of the largest types fit. */
  readonly maxTypeRegistryBytes: number;
  /**
   * Objects that one message may become: strings, structures, unions and any inside arrays, and booleans, eight for one. One
   * byte can claim an object of 50 bytes and more, so the size of a message does not bound the memory it takes.
   */
  readonly maxValueNodes: number;
  /**
   * The same for each byte of the message. All but a structure without fields takes a byte, and stands in a few structures
   * at most; of those without fields a type defined before makes 10 000 of one byte.
   */
  readonly maxValueNodesPerByte: number;
  /** Objects beside those, in every message: a pvRequest, the type of which is known, is structures without fields alone. */
  readonly freeValueNodes: number;
  /**
   * Bytes that the types inside any of one message may take in full, beside those that stand there, for each byte of the
   * message. An id of 3 bytes names any type; where the value goes on to others, who share no ids, it is written out.
   */
  readonly maxAnyTypeBytesPerByte: number;
  /** Bytes beside those, in every message: a type of 10 000 fields fits, as of a pvRequest, which holds nothing else. */
  readonly freeAnyTypeBytes: number;
  /**
   * Strings or booleans that one ARRAY request may add to an array without sending them, up to a new length or an offset;
   * past it, it is answered ERROR. 8 bytes could claim 4 000 000. Numbers are bounded by `maxBodyBytes`.
   */
  readonly maxBlankElements: number;
  /** Channels that one link may hold. Past it CREATE_CHANNEL is answered ERROR. */
  readonly maxChannelsPerLink: number;
  /** Operations that one link may hold. Past it INIT is answered ERROR. */
  readonly maxOperationsPerLink: number;
  /** TCP links of one server. Past it a connection is refused at accept. */
  readonly maxLinks: number;
  /**
   * Those of one host, which is never to take them all: a quarter is left to the others, and unless this is set, a quarter
   * of fewer links as well. Past it as past `maxLinks`.
   */
  readonly maxLinksPerHost: number;
  /** Milliseconds within which a new link has to say who its client is, or to open a channel; else it is closed. */
  readonly handshakeMs: number;
  /**
   * Bytes of messages that have not come whole, or that wait because their client does not read, of large pvRequests that
   * operations keep, and of types that have an id, past 128 KiB of each link, of all links in sum. Past it one message
   * comes to its end after the other, and links are closed that send nothing of theirs (`crowdedStallMs`), or that keep most.
   * `maxBodyBytes` alone bounds nothing: 16 384 links times 64 MiB.
   */
  readonly maxReceivingBytes: number;
  /**
   * Bytes that the channels and operations of all links take in sum, 700 and 1 000 each. Past it the link that has most
   * is closed. `maxChannelsPerLink` alone bounds nothing: 16 384 links times 10 000. 630 000 channels fit, each with a
   * monitor.
   */
  readonly maxOpenBytes: number;
  /** Unsent bytes on a link past which its monitors stop draining and squash instead. */
  readonly monitorPauseBytes: number;
  /** Unsent bytes on a link past which nothing more is read from it. */
  readonly readPauseBytes: number;
  /**
   * Unsent bytes of all links in sum; what several are sent alike counts once. From half of it on, `monitorPauseBytes`
   * and `readPauseBytes` shrink with what is left; past it what is large waits, and links whose clients take nothing are
   * closed (`crowdedStallMs`), the worst of the host that holds most first. Whoever takes is never closed. `readPauseBytes`
   * alone bounds nothing: 16 384 links times 4 MiB.
   */
  readonly maxUnsentBytes: number;
  /**
   * Milliseconds without any progress after which a link is closed while all hold more than `maxUnsentBytes` or
   * `maxReceivingBytes`, and others wait for it. A client that stands still for a moment, or whose packets are lost, goes
   * on sooner.
   */
  readonly crowdedStallMs: number;
  /** Milliseconds without any write progress after which a link with unsent bytes is closed. */
  readonly writeStallMs: number;
  /** Milliseconds that the handler of a put may take, unless its PV says otherwise; clients give up long before. */
  readonly putTimeoutMs: number;
  /** Milliseconds that the handler of an RPC may take, unless its PV says otherwise: some do the work of minutes. */
  readonly callTimeoutMs: number;
  /** Milliseconds that requests under way and queued updates get when the server is asked to end in good order. */
  readonly drainMs: number;
  /** Updates that a monitor may ask to have queued. */
  readonly maxMonitorQueue: number;
  /**
   * Bytes of values that one monitor may have queued, roughly weighed, past which it squashes; one update always waits.
   * A count alone bounds nothing: 1 000 images of 10 MB are 10 GB. Six of these fit, or 80 arrays of 100 000 doubles.
   */
  readonly maxMonitorQueueBytes: number;
  /** The same of all monitors of one link in sum. */
  readonly maxQueuedBytesPerLink: number;
  /** The same of all links in sum. */
  readonly maxQueuedBytes: number;
  /** Queue length of a monitor that does not ask for one; what pvxs uses. */
  readonly defaultMonitorQueue: number;
  /** Bytes of a datagram that are looked at; UDP carries no more. */
  readonly maxDatagramBytes: number;
  /** Names in one search that are looked at; the rest is ignored. */
  readonly maxSearchNames: number;
  /** Searches in one datagram that are answered; peers send one, and each is answered with a datagram. */
  readonly maxSearchesPerDatagram: number;
  /**
   * Names a second that are looked up for one sender of searches by UDP while there are others, and as many at once; the
   * rest is dropped, and clients search again. Many times what a client needs: pvxs spreads the names of 100 000 channels
   * over 30 seconds.
   */
  readonly maxSearchRatePerSender: number;
  /** The same of all senders in sum; about what a core looks up when there are many in a datagram. */
  readonly maxSearchRate: number;
  /** Searches a second that are passed on to other servers of the host: each is sent, and comes back to us. */
  readonly maxForwardRate: number;
  /** Senders of searches that are told apart at once; past it the one that was silent longest is forgotten. */
  readonly maxSearchSenders: number;
  /** Bytes of a PV name. */
  readonly maxNameBytes: number;
  /** Characters of a user's or a host's name that a client tells; they are compared with patterns and logged. */
  readonly maxIdentityCharacters: number;
  /**
   * Characters of a peer's MESSAGE, of why it refuses, or of why its link is closed, that a notice or an error has; the rest
   * is cut. A sentence fits.
   */
  readonly maxMessageCharacters: number;
  /** Characters of put log that wait for a slow disk; past it lines are dropped and counted. */
  readonly maxPutLogCharacters: number;
  /** Characters of a channel's definition in a store. The largest type has 10 000 fields, which take some 500 000. */
  readonly maxDefinitionCharacters: number;
  /** Characters of the JSON Schema, or of the settings, that a client creates a channel from. The largest type fits. */
  readonly maxSchemaCharacters: number;
  /** Channels of a server that clients created while it ran; each takes some KB. As many as a store starts within seconds. */
  readonly maxCreatedChannels: number;
  /**
   * Bytes of one line of a backup, which is one channel as text; it is held in memory. An array, or a text, as large as a message
   * may be by default fits: six characters for each byte. Of longer ones no backup is made. Node.js has texts of 512 MiB at most.
   */
  readonly maxBackupLineBytes: number;
  /** Characters of one pvRequest text. */
  readonly maxPvRequestCharacters: number;
  /**
   * Bytes of the pvRequest of a PUT, PUT_GET, RPC, PROCESS or ARRAY, roughly weighed with its type, which is kept as long as
   * the operation; past it INIT is answered ERROR. One that names 1 000 fields fits.
   */
  readonly maxPvRequestBytes: number;
  /** Characters of the expression of a computed channel. */
  readonly maxExpressionCharacters: number;
  /** Levels of nesting in one such expression; each takes a few frames of the stack. */
  readonly maxExpressionDepth: number;
  /** Computed channels that one post may bring to a new value; only channels that post to their own inputs need more. */
  readonly maxComputationsPerPost: number;
  /** Fields of one message that a trace shows one by one; the rest is shown as a whole. */
  readonly maxTraceNotes: number;
  /** Connections of one capture that are followed at once; past it the one that was silent longest is forgotten. */
  readonly maxTraceConnections: number;
  /** Bytes of one TCP direction that wait for a segment before them; past it the segment counts as not captured. */
  readonly maxReorderBytes: number;
  /** Segments that wait likewise. */
  readonly maxReorderSegments: number;
  /** Bytes of a capture file; it is held in memory. */
  readonly maxCaptureBytes: number;
}

/** The limits that hold unless others are given. */
export const DEFAULT_LIMITS: Limits = Object.freeze({
  maxBodyBytes: 64 * 1024 * 1024,
  maxSegmentBytes: 0xffff_ffff,
  maxTypeNesting: 20,
  maxTypeFields: 10_000,
  maxTypeRegistryEntries: 65_536,
  maxTypeRegistryFields: 50_000,
  maxTypeRegistryBytes: 16 * 1024 * 1024,
  maxValueNodes: 4_000_000,
  maxValueNodesPerByte: 16,
  freeValueNodes: 1_000,
  maxAnyTypeBytesPerByte: 64,
  freeAnyTypeBytes: 128 * 1024,
  maxBlankElements: 100_000,
  maxChannelsPerLink: 10_000,
  maxOperationsPerLink: 10_000,
  maxLinks: 16_384,
  maxLinksPerHost: 12_288,
  handshakeMs: 10_000,
  maxReceivingBytes: 256 * 1024 * 1024,
  maxOpenBytes: 1024 * 1024 * 1024,
  monitorPauseBytes: 256 * 1024,
  readPauseBytes: 4 * 1024 * 1024,
  maxUnsentBytes: 512 * 1024 * 1024,
  crowdedStallMs: 8_000,
  writeStallMs: 30_000,
  putTimeoutMs: 30_000,
  callTimeoutMs: 600_000,
  drainMs: 5_000,
  maxMonitorQueue: 1_000,
  maxMonitorQueueBytes: 64 * 1024 * 1024,
  maxQueuedBytesPerLink: 128 * 1024 * 1024,
  maxQueuedBytes: 512 * 1024 * 1024,
  defaultMonitorQueue: 4,
  maxDatagramBytes: 64 * 1024,
  maxSearchNames: 4_096,
  maxSearchesPerDatagram: 16,
  maxSearchRatePerSender: 1_000_000,
  maxSearchRate: 2_000_000,
  maxForwardRate: 1_000,
  maxSearchSenders: 10_000,
  maxNameBytes: 500,
  maxIdentityCharacters: 256,
  maxMessageCharacters: 1_000,
  maxPutLogCharacters: 4 * 1024 * 1024,
  maxDefinitionCharacters: 4 * 1024 * 1024,
  maxSchemaCharacters: 1024 * 1024,
  maxCreatedChannels: 100_000,
  maxBackupLineBytes: 400 * 1024 * 1024,
  maxPvRequestCharacters: 65_536,
  maxPvRequestBytes: 64 * 1024,
  maxExpressionCharacters: 1_000,
  maxExpressionDepth: 50,
  maxComputationsPerPost: 100_000,
  maxTraceNotes: 10_000,
  maxTraceConnections: 4_096,
  maxReorderBytes: 4 * 1024 * 1024,
  maxReorderSegments: 256,
  maxCaptureBytes: 512 * 1024 * 1024,
});

/** Bytes of one message body that a server sends: what peers with the default read, even if fewer are read here. */
export function mostSentBytes({ maxBodyBytes }: Limits): number {
  return Math.max(maxBodyBytes, DEFAULT_LIMITS.maxBodyBytes);
}

/** What an end of a link keeps of what is over. Nobody needs to set these. */
export const LINK_LIMITS = Object.freeze({
  /**
   * Types of ended operations for each link, so that what comes late for them can be read and the type registry stays true;
   * past it the oldest are forgotten.
   */
  maxEndedOperations: 1_000,
});

/** What a client keeps of what servers tell it. Nobody needs to set these: they bound what somebody invents. */
export const CLIENT_LIMITS = Object.freeze({
  /**
   * Nodes of the types in sum that one server may name by ids; past it the link is closed. pvAccessCPP gives each type an
   * id: 10 000 channels fit, each with a structure of its own with 25 fields.
   */
  maxServerTypeFields: 500_000,
  /** Servers that were lost a moment ago and are not to be hammered. */
  maxLostServers: 1_000,
  /**
   * Channels that nobody uses and that are kept for a while; past it the one unused longest goes, so that of more PVs that
   * are read in turn none is there any more when it is read again. Four tenths of what a server allows on one link.
   */
  maxIdleChannels: 4_000,
  /**
   * GETs of each link that are kept on their server, because their PV is read again and again; past it the one read
   * longest ago ends. Four tenths of what a server allows, so that monitors and puts have the rest.
   */
  maxKeptGets: 4_000,
  /**
   * PVs of one `getMany`, `putMany` or `infoMany` that are asked for at once; the others wait their turn. Together with the
   * idle channels of those before they are fewer than a server allows on one link.
   */
  maxCallsAtOnce: 4_000,
  /**
   * Texts of pvRequests that are remembered, so that what is asked again is known. Programs have a few of them; past it all
   * are forgotten, and each PV is read anew twice.
   */
  maxParsedRequests: 64,
  /** Servers known by their beacons, as many as pvxs tracks. Past it new ones are ignored. */
  maxTrackedServers: 20_000,
  /** Discovered servers that wait for a slow reader. The oldest are dropped. */
  maxWaitingDiscoveries: 10_000,
  /** Unsent bytes to a name server past which it is sent no more searches; what pvxs uses. */
  nameServerPauseBytes: 64 * 1024,
});

/** What a server keeps for its store, and of what the others that share it tell. Nobody needs to set these. */
export const STORE_LIMITS = Object.freeze({
  /** Writes that are not acknowledged yet; past it they are refused at once. */
  maxQueuedWrites: 100_000,
  /** Changes that are held for a channel while it is read; past it, it is read again. */
  maxHeldChanges: 256,
  /** Calls that read channels and are under way at once. */
  maxReads: 64,
  /** Channels that one call reads: Redis does nothing else meanwhile, which is a few milliseconds. */
  maxChannelsPerRead: 256,
  /** Bytes past which a call reads no further channel: an answer is held in memory by both sides. */
  maxReadBytes: 1024 * 1024,
  /**
   * Bytes of a write past which it is told without its value, which the others read: Redis drops a connection for which 32 MB
   * of messages wait, or 8 MB for a minute.
   */
  maxToldBytes: 1024 * 1024,
  /** Servers of one store. Past it the others are not looked at. */
  maxNodes: 1_000,
  /** Searches for a PV that another server is to answer first; past it the one that is oldest is forgotten. */
  maxAskedSearches: 50_000,
  /**
   * Bytes of puts in the journal of the embedded store that are not in its database yet; past it they are refused. Many
   * times what there is while the database keeps up; a server that was killed reads it as a whole when it starts.
   */
  maxJournalBytes: 64 * 1024 * 1024,
});
