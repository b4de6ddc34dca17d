// Which channel type does a text such as `double`, `string[]` or `enum(Off|On)` name? Choices that such a text would take
// apart are a JSON list: `enum["A|B", "C "]`. A structure is named by its JSON, as `typeJson` writes it:
// {"kind": "structure", "id": ..., "fields": [{"name", "type"}]}.
import { reasonOf } from '../protocol/errors.ts';
import { DEFAULT_LIMITS } from '../protocol/limits.ts';
import { textBytes } from '../protocol/text.ts';
import { SCALAR_NAMES, type ScalarName } from '../protocol/types/type-desc.ts';
import { typeFromJson } from '../protocol/types/type-from-json.ts';
import { typeJson } from '../protocol/values/format-json.ts';
import type { ChannelType } from './channel-definition.ts';
import { quote, right, wrong, type Parsed } from './parsed.ts';
import { didYouMean } from './suggest.ts';

/** Choices of one enum; an IOC stops at 16. */
const MAX_CHOICES = 1_000;

const TYPE_FORM = `one of ${SCALAR_NAMES.join(' ')}, with [] for an array, or enum(Off|On)`;

/** What people of other languages write. */
const OTHER_NAMES: ReadonlyMap<string, ScalarName> = new Map([
  ['bool', 'boolean'],
  ['int8', 'byte'],
  ['uint8', 'ubyte'],
  ['int16', 'short'],
  ['uint16', 'ushort'],
  ['int32', 'int'],
  ['integer', 'int'],
  ['uint32', 'uint'],
  ['int64', 'long'],
  ['uint64', 'ulong'],
  ['float32', 'float'],
  ['float64', 'double'],
  ['number', 'double'],
  ['str', 'string'],
]);

/** Reads `TYPE` of the command line and `type` of the TOML file. */
export function parseChannelType(text: string): Parsed<ChannelType> {
  const choices = /^enum\(([^()]*)\)$/.exec(text)?.[1];
  if (choices !== undefined) return enumOf(choices.split('|').map((choice) => choice.trim()));
  if (text.startsWith('enum[')) return parseChoiceList(text);
  if (text.startsWith('{')) return parseStructure(text);
  if (/^enum\b/.test(text)) return wrong(`${quote(text)} names no choices; expected enum(Off|On)`);
  const isArray = text.endsWith('[]');
  const base = isArray ? text.slice(0, -2) : text;
  const scalar = SCALAR_NAMES.find((name) => name === base);
  if (scalar === undefined) return wrong(`${quote(text)} is no type${hint(base)}; expected ${TYPE_FORM}`);
  return right(isArray ? { kind: 'array', element: scalar } : { kind: 'scalar', scalar });
}

/** The text that `parseChannelType` reads as this type. */
export function formatChannelType(type: ChannelType): string {
  if (type.kind === 'enum') return formatEnum(type.choices);
  if (type.kind === 'structure') return typeJson(type.structure);
  return type.kind === 'array' ? `${type.element}[]` : type.scalar;
}

/** Names of PVs: what clients can search for and people can type. */
export function parsePvName(text: string): Parsed<string> {
  if (text === '') return wrong('is empty; expected a PV name');
  const bytes = textBytes(text);
  if (bytes > DEFAULT_LIMITS.maxNameBytes)
    return wrong(`has ${bytes} bytes; a PV name has at most ${DEFAULT_LIMITS.maxNameBytes}`);
  if (/[\s\p{Cc}\p{Cs}]/u.test(text))
    return wrong(`${quote(text)} holds white space or control characters; a PV name has none`);
  return right(text);
}

function parseStructure(text: string): Parsed<ChannelType> {
  try {
    const type = typeFromJson(JSON.parse(text));
    return type.kind === 'structure'
      ? right({ kind: 'structure', structure: type })
      : wrong(`${quote(text)} is of kind ${type.kind}; a channel is a structure`);
  } catch (thrown) {
    return wrong(`${quote(text)} is no type: ${reasonOf(thrown)}`);
  }
}

/** An enum with exactly these choices. */
export function enumOf(choices: readonly string[]): Parsed<ChannelType> {
  if (choices.length === 0) return wrong('names no choices; expected enum(Off|On)');
  if (choices.length > MAX_CHOICES) return wrong(`has ${choices.length} choices; an enum has at most ${MAX_CHOICES}`);
  if (choices.includes('')) return wrong(`${quote(formatEnum(choices))} has an empty choice; expected enum(Off|On)`);
  const repeated = choices.find((choice, index) => choices.indexOf(choice) !== index);
  if (repeated !== undefined) return wrong(`has the choice ${quote(repeated)} twice`);
  return right({ kind: 'enum', choices });
}

function parseChoiceList(text: string): Parsed<ChannelType> {
  try {
    const list: unknown = JSON.parse(text.slice('enum'.length));
    if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return enumOf(list);
  } catch {
    // Told below.
  }
  return wrong(`${quote(text)} is no list of choices; expected enum["Off", "On"]`);
}

function formatEnum(choices: readonly string[]): string {
  const isPlain = choices.every((choice) => !/[|()]/u.test(choice) && choice.trim() === choice);
  return `enum${isPlain ? `(${choices.join('|')})` : JSON.stringify(choices)}`;
}

function hint(base: string): string {
  const other = OTHER_NAMES.get(base.toLowerCase());
  return other === undefined ? didYouMean(base, SCALAR_NAMES) : `; did you mean ${quote(other)}?`;
}
