// CMD_BEACON (0x00), from the server over UDP: I am here, and I am still the same.
//
//   byte[12] guid; int8 flags; int8 beaconSequenceId; int16 changeCount; byte[16] serverAddress; int16 serverPort;
//   string protocol; FieldDesc serverStatusIF; PVField serverStatus, unless the type is null
//
// Spec: Protocol-Messages, "CMD_BEACON". Every peer sends flags 0, changeCount 0 and the null type.

import type { AnyValue } from '../types/value-of.ts';
import type { FieldReader } from './fields.ts';
import type { Body } from './message-module.ts';

export interface Beacon {
  readonly command: 'BEACON';
  /** 24 hexadecimal digits; another one is another start of the server. */
  readonly guid: string;
  readonly flags: number;
  /** Counts the beacons, from 255 back to 0. */
  readonly sequence: number;
  /** Changes whenever the server's list of PVs does. */
  readonly changeCount: number;
  /** See `isAny`: then it is the address that the beacon came from. */
  readonly serverAddress: string;
  readonly serverPort: number;
  /** `tcp`, or one that is to be ignored. */
  readonly protocol: string;
  readonly serverStatus: AnyValue;
}

const fromServer: Body<Beacon> = {
  encode(fields, message) {
    fields.guid(message.guid);
    fields.u8(message.flags);
    fields.u8(message.sequence);
    fields.u16(message.changeCount);
    fields.address(message.serverAddress);
    fields.u16(message.serverPort);
    fields.string(message.protocol);
    fields.any(message.serverStatus);
  },
  decode(fields) {
    const head = readBeaconHead(fields);
    // pvxs does not look behind the protocol, so a beacon that ends there serves.
    const serverStatus = !fields.hasMore ? null : fields.any();
    return { command: 'BEACON', ...head, serverStatus };
  },
};

/** What stands in a beacon before the status of its server. */
export type BeaconHead = Omit<Beacon, 'command' | 'serverStatus'>;

/** Reads a beacon as far as clients need it: anyone may send one, and behind that stands whatever he likes. */
export function readBeaconHead(fields: FieldReader): BeaconHead {
  const guid = fields.guid();
  const flags = fields.u8();
  const sequence = fields.u8();
  const changeCount = fields.u16();
  const serverAddress = fields.address();
  const serverPort = fields.u16();
  const protocol = fields.string();
  return { guid, flags, sequence, changeCount, serverAddress, serverPort, protocol };
}

export const beacon = { command: 'BEACON', code: 0x00, fromServer } as const;
