// Which clients does the `host` of a rule mean? Those that connect from an address or network, or those that say that
// their host has a name.
//
// The address is the one that the connection comes from. The name is what the client says of itself: nobody checks it.

import { LocalProtocolError, PvaError } from '../../protocol/errors.ts';
import { ADDRESS_BYTES, writeAddress } from '../../protocol/address.ts';
import { Writer } from '../../protocol/writer.ts';
import type { Peer } from '../peer.ts';
import { Glob } from './glob.ts';

/** What an IPv4 prefix is counted behind in the 16 bytes of a mapped address. */
const MAPPED_BITS = 96;
const ADDRESS_BITS = 8 * ADDRESS_BYTES;
const BITS_PER_BYTE = 8;

interface Network {
  readonly kind: 'network';
  /** 16 bytes; IPv4 mapped into IPv6, so that a dual-stack socket's addresses compare. */
  readonly bytes: Uint8Array;
  readonly prefixBits: number;
}

interface Name {
  readonly kind: 'name';
  /** In lower case, as host names have none. */
  readonly glob: Glob;
}

export class HostPattern {
  readonly text: string;
  readonly #means: Network | Name;

  /** @throws LocalProtocolError for a text that is none of address, network and name */
  constructor(text: string) {
    this.text = text;
    this.#means = parse(text);
  }

  /** Whether it means what clients say of themselves, and not where they connect from. */
  get isName(): boolean {
    return this.#means.kind === 'name';
  }

  get fitsAll(): boolean {
    return this.#means.kind === 'network' ? this.#means.prefixBits === 0 : this.#means.glob.fitsAll;
  }

  fits(peer: Pick<Peer, 'address' | 'host'>): boolean {
    if (this.#means.kind === 'name') return this.#means.glob.fits(peer.host.toLowerCase());
    return this.fitsAddress(peer.address) === true;
  }

  /** Whether it fits whoever connects from an address; undefined where that depends on the name that the client tells. */
  fitsAddress(address: string): boolean | undefined {
    if (this.#means.kind === 'name') return this.fitsAll ? true : undefined;
    const { bytes, prefixBits } = this.#means;
    const itsBytes = bytesOf(address);
    return itsBytes !== undefined && isWithin(itsBytes, bytes, prefixBits);
  }

  /** Whether it fits all that `other` fits. True only if that is sure. */
  covers(other: HostPattern): boolean {
    if (this.fitsAll) return true;
    const [own, its] = [this.#means, other.#means];
    if (own.kind === 'name') return its.kind === 'name' && own.glob.covers(its.glob);
    return its.kind === 'network' && own.prefixBits <= its.prefixBits && isWithin(its.bytes, own.bytes, own.prefixBits);
  }
}

function parse(text: string): Network | Name {
  const [address = '', prefix, ...rest] = text.split('/');
  if (prefix !== undefined) return parseNetwork(text, address, rest.length > 0 ? '' : prefix);
  const bytes = bytesOf(text);
  if (bytes !== undefined) return { kind: 'network', bytes, prefixBits: ADDRESS_BITS };
  // Else `10.0.*` would be taken for a name, which a client may choose.
  if (text.includes(':') || /^[\d.*?]*\d[\d.*?]*$/u.test(text)) {
    throw new LocalProtocolError('is no address; write a network as in "10.0.0.0/16"');
  }
  return { kind: 'name', glob: new Glob(text.toLowerCase()) };
}

function parseNetwork(text: string, address: string, prefix: string): Network {
  const bytes = bytesOf(address);
  if (bytes === undefined) throw new LocalProtocolError('is no network; expected one such as "10.0.0.0/16"');
  const most = address.includes(':') ? ADDRESS_BITS : ADDRESS_BITS - MAPPED_BITS;
  const given = /^\d{1,3}$/u.test(prefix) ? Number(prefix) : Number.NaN;
  if (!(given <= most)) throw new LocalProtocolError(`has no prefix from 0 to ${most} behind the "/"`);
  const prefixBits = ADDRESS_BITS - most + given;
  if (!isWithin(bytes, masked(bytes, prefixBits), ADDRESS_BITS)) {
    throw new LocalProtocolError(
      `is an address within a network; write ${text.replace(/\/.*/u, '')} alone or its network`,
    );
  }
  return { kind: 'network', bytes, prefixBits };
}

/** 16 bytes of an IPv4 or IPv6 address, without its zone; undefined for what is none. */
function bytesOf(address: string): Uint8Array | undefined {
  const writer = new Writer(true, ADDRESS_BYTES);
  try {
    writeAddress(writer, address);
  } catch (thrown) {
    if (thrown instanceof PvaError) return undefined;
    throw thrown;
  }
  return writer.detach(0);
}

function isWithin(address: Uint8Array, network: Uint8Array, prefixBits: number): boolean {
  const own = masked(address, prefixBits);
  const its = masked(network, prefixBits);
  return own.every((byte, index) => byte === its[index]);
}

/** The bytes with everything behind the prefix 0. */
function masked(bytes: Uint8Array, prefixBits: number): Uint8Array {
  return bytes.map((byte, index) => {
    const kept = Math.min(BITS_PER_BYTE, Math.max(0, prefixBits - index * BITS_PER_BYTE));
    return byte & (0xff << (BITS_PER_BYTE - kept));
  });
}
