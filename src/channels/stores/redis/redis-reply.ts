// What did Redis answer? Everything is checked: it may be another version, or something else that speaks its protocol.

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
