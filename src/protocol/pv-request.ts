// What does a client ask to see, and how? pvRequest text such as `record[queueSize=8]field(value,alarm.severity)` to the
// structure that is sent.
//
//   request := { ( 'record' '[' options ']' | keyword '(' fields ')' | field ) [ ',' ] }
//   keyword := 'field' | 'putField' | 'getField'
//   fields  := [ field { ',' field } ]
//   field   := name { '.' name } [ '[' options ']' ] [ '{' fields '}' ]
//   options := [ name '=' value { ',' name '=' value } ]
//
// The order of the text is kept, as pvAccessCPP does; options are sent as strings, as all tools do.

import { LimitError, LocalProtocolError } from './errors.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { string, structure, type Field } from './types/type-desc.ts';
import type { PvValue, StructureValue, TypedStructure } from './types/value-of.ts';

/** The structure that INIT carries. */
export type PvRequest = TypedStructure;

/** The parts of a pvRequest that name fields. `putField` and `getField` are of PUT_GET alone. */
export type FieldPart = 'field' | 'putField' | 'getField';

/** Where options stand inside `record` or a field; the tools of all peers agree on the name. */
export const OPTIONS_FIELD = '_options';

const FIELD_PARTS: ReadonlySet<string> = new Set<FieldPart>(['field', 'putField', 'getField']);

const NAME = /[^\s,.()[\]{}=]+/y;
const OPTION_VALUE = /[^,[\]]+/y;
const SPACE = /\s*/y;

const SHOWN_CHARACTERS = 60;

/** A structure in the making; a whole one stays whole, whatever is named inside of it besides. */
interface Node {
  readonly children: Map<string, Node>;
  readonly options: Map<string, string>;
  isWhole: boolean;
}

/**
 * Reads a pvRequest. '' asks for everything. Names that the type turns out not to have are no error here.
 * Throws `LocalProtocolError` with the position (counted from 1) of what is wrong, and `LimitError` past
 * `maxPvRequestCharacters`, `maxTypeNesting` or `maxTypeFields`.
 */
export function parsePvRequest(text: string, limits: Limits = DEFAULT_LIMITS): PvRequest {
  if (text.length > limits.maxPvRequestCharacters) {
    throw new LimitError(
      'maxPvRequestCharacters',
      text.length,
      limits.maxPvRequestCharacters,
      'characters of a pvRequest',
    );
  }
  return new Parser(text, limits).parse();
}

/** The same request with options added to, or replaced in, `record[...]`. Values are sent as text. */
export function withRecordOptions(request: PvRequest, options: Readonly<Record<string, string>>): PvRequest {
  const before = ownStructure(ownStructure(request, 'record'), OPTIONS_FIELD);
  const names = Object.keys(options);
  const kept = fieldsOf(before).filter(({ name }) => !names.includes(name));
  const merged = compose([...kept, ...names.map((name) => ({ name, type: string, value: options[name] ?? '' }))]);
  const rest = fieldsOf(request).filter(({ name }) => name !== 'record');
  return compose([...rest, { name: 'record', ...compose([{ name: OPTIONS_FIELD, ...merged }]) }]);
}

// --- parser ----------------------------------------------------------------------------------------------------

class Parser {
  readonly #text: string;
  readonly #limits: Limits;
  readonly #root: Node = makeNode();
  #at = 0;
  #nodeCount = 0;

  constructor(text: string, limits: Limits) {
    this.#text = text;
    this.#limits = limits;
  }

  parse(): PvRequest {
    this.#skipSpace();
    while (this.#at < this.#text.length) {
      this.#parsePart();
      this.#take(',');
    }
    if (![...this.#root.children.keys()].some((name) => FIELD_PARTS.has(name))) this.#child(this.#root, 'field');
    return build(this.#root);
  }

  #parsePart(): void {
    const start = this.#at;
    const name = this.#match(NAME) ?? this.#fail(`record[...], field(...) or the name of a field`);
    if (name === 'record') {
      this.#expect('[', `'[' after record`);
      this.#parseOptions(this.#child(this.#root, 'record'));
    } else if (FIELD_PARTS.has(name)) {
      this.#expect('(', `'(' after ${name}`);
      this.#parseFields(this.#child(this.#root, name), ')', 1);
    } else {
      this.#at = start;
      this.#parseField(this.#child(this.#root, 'field'), 1);
    }
  }

  /** Reads up to and with `end`; the opening bracket is behind us. */
  #parseFields(parent: Node, end: ')' | '}', depth: number): void {
    if (this.#take(end)) {
      parent.isWhole = true;
      return;
    }
    do this.#parseField(parent, depth);
    while (this.#take(','));
    this.#expect(end, `',' or '${end}'`);
  }

  #parseField(parent: Node, depth: number): void {
    let node = parent;
    let level = depth;
    do {
      node = this.#child(node, this.#match(NAME) ?? this.#fail('the name of a field'));
      this.#checkDepth(++level);
    } while (this.#take('.'));
    if (this.#take('[')) this.#parseOptions(node);
    if (this.#take('{')) this.#parseFields(node, '}', level);
    else node.isWhole = true;
  }

  #parseOptions(node: Node): void {
    if (this.#take(']')) return;
    do {
      const start = this.#at;
      const name = this.#match(NAME) ?? this.#fail('the name of an option');
      if (node.options.has(name)) {
        this.#at = start;
        this.#fail(`an option other than '${name}', given before,`);
      }
      this.#expect('=', `'=' and a value for option '${name}'`);
      const value = this.#match(OPTION_VALUE) ?? this.#fail(`a value for option '${name}'`);
      this.#count();
      node.options.set(name, value.trimEnd());
    } while (this.#take(','));
    this.#expect(']', `',' or ']'`);
  }

  #child(parent: Node, name: string): Node {
    let node = parent.children.get(name);
    if (node === undefined) {
      this.#count();
      node = makeNode();
      parent.children.set(name, node);
    }
    return node;
  }

  #count(): void {
    this.#nodeCount++;
    if (this.#nodeCount > this.#limits.maxTypeFields) {
      throw new LimitError('maxTypeFields', this.#nodeCount, this.#limits.maxTypeFields, 'names in a pvRequest');
    }
  }

  #checkDepth(level: number): void {
    // A peer would refuse to read the request.
    const allowed = this.#limits.maxTypeNesting - 2;
    if (level > allowed) throw new LimitError('maxTypeNesting', level, allowed, 'levels of a pvRequest');
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found === undefined) return undefined;
    this.#at += found.length;
    this.#skipSpace();
    return found;
  }

  #skipSpace(): void {
    SPACE.lastIndex = this.#at;
    this.#at += SPACE.exec(this.#text)?.[0].length ?? 0;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    this.#skipSpace();
    return true;
  }

  #expect(character: string, expected: string): void {
    if (!this.#take(character)) this.#fail(expected);
  }

  #fail(expected: string): never {
    const text = this.#text;
    const found = this.#at < text.length ? `'${text[this.#at] ?? ''}' found` : 'the text ends';
    const shown = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
    throw new LocalProtocolError(`pvRequest '${shown}', position ${this.#at + 1}: ${expected} expected, ${found}`);
  }
}

// --- nodes to structures ---------------------------------------------------------------------------------------

function makeNode(): Node {
  return { children: new Map(), options: new Map(), isWhole: false };
}

function build(node: Node): PvRequest {
  const parts: Part[] = [];
  if (node.options.size > 0) {
    const options = [...node.options].map(([name, value]) => ({ name, type: string, value }));
    parts.push({ name: OPTIONS_FIELD, ...compose(options) });
  }
  // `field(alarm,alarm.severity)` asks for all of alarm: only an empty structure says so.
  if (!node.isWhole) for (const [name, child] of node.children) parts.push({ name, ...build(child) });
  return compose(parts);
}

interface Part extends Field {
  readonly value: PvValue;
}

function compose(parts: readonly Part[]): PvRequest {
  const value: Record<string, PvValue> = {};
  for (const part of parts) {
    // Not an assignment: a field may be named `__proto__`.
    Object.defineProperty(value, part.name, {
      value: part.value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return { type: structure('', parts), value };
}

function ownStructure(from: PvRequest | undefined, name: string): PvRequest | undefined {
  const found = fieldsOf(from).find((field) => field.name === name);
  if (found?.type.kind !== 'structure') return undefined;
  // The value of a structure type is a structure: both were made together.
  return { type: found.type, value: found.value as StructureValue };
}

function fieldsOf(request: PvRequest | undefined): readonly Part[] {
  if (request === undefined) return [];
  const { value } = request;
  return request.type.fields.map(({ name, type }) => ({ name, type, value: value[name] ?? '' }));
}
