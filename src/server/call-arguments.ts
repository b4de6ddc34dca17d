// What did the caller of an RPC say? Its arguments by name: the query of an NTURI, or a plain structure.

import { PvaError } from '../protocol/errors.ts';
import type { TypeDesc } from '../protocol/types/type-desc.ts';
import type { AnyValue } from '../protocol/types/value-of.ts';
import { contentOf, fieldOf } from '../protocol/values/value-parts.ts';

/** A value with its type. */
type Typed = NonNullable<AnyValue>;

export class CallArguments {
  readonly #whole: Typed | undefined;

  constructor(argument: AnyValue) {
    const whole = argument ?? undefined;
    this.#whole = (whole && memberOf(whole, 'query')) ?? whole;
  }

  get names(): readonly string[] {
    return this.#whole?.type.kind === 'structure' ? this.#whole.type.fields.map(({ name }) => name) : [];
  }

  /** An argument as it was sent; undefined where it was not. */
  typed(name: string): Typed | undefined {
    return this.#whole && memberOf(this.#whole, name);
  }

  /** @throws PvaError BAD_CALL when it is there and no text */
  text(name: string): string | undefined {
    const found = this.typed(name);
    if (found === undefined) return undefined;
    if (typeof found.value === 'string') return found.value;
    throw new PvaError('BAD_CALL', `the argument '${name}' is of type ${nameOf(found.type)}; text expected`);
  }
}

function memberOf({ type, value }: Typed, name: string): Typed | undefined {
  if (type.kind !== 'structure') return undefined;
  const field = type.fields[type.indexOf.get(name) ?? -1];
  if (field === undefined) return undefined;
  const found = fieldOf(value, field);
  // Some tools wrap each argument.
  return field.type.kind === 'any' ? (contentOf(found) ?? undefined) : { type: field.type, value: found };
}

function nameOf(type: TypeDesc): string {
  return type.kind === 'scalar' ? type.scalar : type.kind;
}
