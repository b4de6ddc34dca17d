// Who is at the other end of a link?

/** A client as its server knows it. What it says of itself with method `ca` is believed, not proved. */
export interface Peer {
  /** The user's name; 'anonymous' if the client gave none. */
  readonly user: string;
  /** The host's name as the client told it; '' if it did not. */
  readonly host: string;
  /** IPv4 or IPv6 address of the client's end. */
  readonly address: string;
  readonly port: number;
  /** How the client said who it is. */
  readonly method: 'anonymous' | 'ca';
}

export const ANONYMOUS = 'anonymous';

/** The peer of a link whose client has not said who it is, or chose not to. */
export function anonymousPeer(remote: { readonly address: string; readonly port: number }): Peer {
  return { user: ANONYMOUS, host: '', address: remote.address, port: remote.port, method: 'anonymous' };
}
