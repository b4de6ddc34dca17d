// What did Redis answer? Everything is checked: it may be another version, or something else that speaks its protocol.

/** Texts as bytes. */
export function isFieldList(reply: unknown): reply is readonly Uint8Array[] {
  return Array.isArray(reply) && reply.every((item) => item instanceof Uint8Array);
}

/** Of `[field, bytes, field, bytes, ...]`. */
export function fieldsIn(list: readonly Uint8Array[]): ReadonlyMap<string, Uint8Array> {
  const fields = new Map<string, Uint8Array>();
  for (let index = 0; index + 1 < list.length; index += 2) {
    const bytes = list[index + 1];
    if (bytes !== undefined) fields.set(textIn(list[index]), bytes);
  }
  return fields;
}

/** A reply or a part of one as text; '' for what is none. */
export function textIn(reply: unknown): string {
  if (!(reply instanceof Uint8Array)) return '';
  return Buffer.from(reply.buffer, reply.byteOffset, reply.byteLength).toString();
}

/** A reply or a part of one as a count; undefined for what is none. */
export function countIn(reply: unknown): number | undefined {
  return typeof reply === 'number' && Number.isSafeInteger(reply) && reply >= 0 ? reply : undefined;
}

/** The parts of a reply. */
export function partsIn(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? reply : [];
}
