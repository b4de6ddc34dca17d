// How do conversations go wrong that consist of good messages? One is left out, comes twice, comes too early, belongs to
// another conversation, or names another channel or request.

import { HEADER_BYTES, MAGIC } from '../src/protocol/header.ts';
import type { CodecName } from '../src/protocol/messages/data.ts';
import type { Random } from './random.ts';

const MOST_MUTATIONS = 4;
const MOST_MESSAGES = 64;
const FLAGS_AT = 2;
const COMMAND_AT = 3;
const SIZE_AT = 4;
const CONTROL = 0x01;
const BIG_ENDIAN = 0x80;
/** Of ids that both sides give: the first are small numbers. */
const IDS = [0, 1, 2, 3, 4, 0x7fff_ffff, 0xffff_ffff];
const SUBCOMMAND_AT = HEADER_BYTES + 8;
const SUBCOMMANDS = [0x00, 0x04, 0x08, 0x10, 0x14, 0x40, 0x44, 0x48, 0x50, 0x80, 0x88, 0xff];
const COMMANDS = 24;
/** How long an integer of MessagePack is, by its first byte; all others are a byte. */
const PACKED_BYTES: Readonly<Record<number, number>> = { 0xcc: 2, 0xcd: 3, 0xce: 5 };

/** The messages of `bytes` with one to four accidents; `other` is a conversation from which messages may come. */
export function mutateMessages(
  bytes: Uint8Array,
  other: Uint8Array,
  random: Random,
  codec: CodecName = 'pva',
): Uint8Array {
  const accidents = codec === 'pva' ? ACCIDENTS : PACKED_ACCIDENTS;
  let messages = messagesOf(bytes);
  const others = messagesOf(other);
  for (let count = 1 + random.below(MOST_MUTATIONS); count > 0; count--) {
    messages = random.pick(accidents)(messages, random, others).slice(0, MOST_MESSAGES);
  }
  return new Uint8Array(Buffer.concat(messages));
}

type Messages = readonly Uint8Array[];
type Accident = (messages: Messages, random: Random, others: Messages) => Messages;

const MOVES: readonly Accident[] = [
  (messages, random) => messages.toSpliced(random.below(messages.length + 1), 1),
  (messages, random) => inserted(messages, random, messages),
  inserted,
  (messages, random) => {
    const [from, to] = [random.below(messages.length + 1), random.below(messages.length + 1)];
    return messages.toSpliced(from, 1).toSpliced(to, 0, ...messages.slice(from, from + 1));
  },
  (messages, random) => changed(messages, random, (view) => view.setUint8(COMMAND_AT, random.below(COMMANDS))),
];

const ACCIDENTS: readonly Accident[] = [
  ...MOVES,
  (messages, random) =>
    changed(messages, random, (view, isLittle) => view.setUint32(HEADER_BYTES, random.pick(IDS), isLittle)),
  (messages, random) =>
    changed(messages, random, (view, isLittle) => view.setUint32(HEADER_BYTES + 4, random.pick(IDS), isLittle)),
  (messages, random) => changed(messages, random, (view) => view.setUint8(SUBCOMMAND_AT, random.pick(SUBCOMMANDS))),
];

/** The same of bodies that are an array of MessagePack, with ids and subcommand in front. */
const PACKED_ACCIDENTS: readonly Accident[] = [
  ...MOVES,
  (messages, random) => withField(messages, random, 0, IDS),
  (messages, random) => withField(messages, random, 1, [...IDS, ...SUBCOMMANDS]),
  (messages, random) => withField(messages, random, 2, SUBCOMMANDS),
];

function inserted(messages: Messages, random: Random, others: Messages): Messages {
  if (others.length === 0) return messages;
  return messages.toSpliced(random.below(messages.length + 1), 0, random.pick(others));
}

/** Changes a copy of one message that is long enough for it. */
function changed(messages: Messages, random: Random, change: (view: DataView, isLittle: boolean) => void): Messages {
  const at = random.below(messages.length + 1);
  const message = messages[at];
  if (message === undefined || message.length <= SUBCOMMAND_AT) return messages;
  const copy = Uint8Array.from(message);
  change(new DataView(copy.buffer), ((copy[FLAGS_AT] ?? 0) & BIG_ENDIAN) === 0);
  return messages.with(at, copy);
}

/** Puts another integer in the place of a field of one message; `index` integers are before it. */
function withField(messages: Messages, random: Random, index: number, values: readonly number[]): Messages {
  const which = random.below(messages.length + 1);
  const message = messages[which];
  if (message === undefined || message.length <= HEADER_BYTES + 1) return messages;
  const end = (from: number): number => from + (PACKED_BYTES[message[from] ?? 0] ?? 1);
  let at = HEADER_BYTES + 1;
  for (let skipped = 0; skipped < index; skipped++) at = end(at);
  const value = random.pick(values);
  const field = Buffer.from([0xce, 0, 0, 0, 0]);
  field.writeUInt32BE(value, 1);
  const short = value < 0x80 ? Buffer.from([value]) : field;
  const bytes = Buffer.concat([message.subarray(0, at), short, message.subarray(end(at))]);
  const isLittle = ((bytes[FLAGS_AT] ?? 0) & BIG_ENDIAN) === 0;
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(SIZE_AT, bytes.length - HEADER_BYTES, isLittle);
  return messages.with(which, new Uint8Array(bytes));
}

/** By their headers; what is none stays with what is before it. */
export function messagesOf(bytes: Uint8Array): Messages {
  const messages: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length;) {
    const isHeader = at + HEADER_BYTES <= bytes.length && bytes[at] === MAGIC;
    const flags = bytes[at + FLAGS_AT] ?? 0;
    const size = !isHeader || (flags & CONTROL) !== 0 ? 0 : view.getUint32(at + SIZE_AT, (flags & BIG_ENDIAN) === 0);
    const end = isHeader ? Math.min(bytes.length, at + HEADER_BYTES + size) : bytes.length;
    messages.push(bytes.subarray(at, end));
    at = end;
  }
  return messages;
}
