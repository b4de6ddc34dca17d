// What is a record, for the database as for the journal before it? Bytes of a kind, for the name of a channel.

/** What stands for each kind, in keys of the database and in the journal. */
export const KINDS = { definition: 0x64, value: 0x76 } as const;
export type RecordKind = keyof typeof KINDS;

export interface ChannelRecord {
  readonly kind: RecordKind;
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Puts a record, or removes it where there are no bytes. */
export type RecordChange = readonly [kind: RecordKind, name: string, bytes: Uint8Array | undefined];

/** Where in the bytes of a group a record is; without a place it is no more. */
export interface RecordPlace {
  readonly kind: RecordKind;
  readonly name: string;
  readonly start?: number;
  readonly end?: number;
}

/** A place in the journal: the end of a segment, and the group that is the last before it. */
export interface JournalPosition {
  readonly segment: number;
  readonly group: number;
}
