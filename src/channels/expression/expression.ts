// What does a text such as `sqrt(a*a + b*b)` compute? A small language of numbers: no strings, no assignments, no access to
// anything but the inputs that are named, so a configuration file can hold it without being a program.
//
//   choice     = or [ "?" choice ":" choice ]
//   or         = and { "||" and }
//   and        = comparison { "&&" comparison }
//   comparison = sum [ ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) sum ]
//   sum        = product { ( "+" | "-" ) product }
//   product    = unary { ( "*" | "/" | "%" ) unary }
//   unary      = ( "-" | "+" | "!" ) unary | power
//   power      = operand [ "^" unary ]
//   operand    = number | name | name "(" choice { "," choice } ")" | "(" choice ")"
//
// So -a^2 is -(a^2), a^b^c is a^(b^c), and comparisons do not chain: 1 < a < 2 would hold a truth against 2.

import { LimitError } from '../../protocol/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../protocol/limits.ts';
import type { AnyNumber } from '../behaviours/exact-number.ts';
import { BINARY, CONSTANTS, FUNCTIONS, isTrue, negated, truth, type BinaryAct } from './arithmetic.ts';
import { faultAt, tokensOf, type Token } from './token.ts';

/** Computes a value of the inputs, which stand in the order of their names. Throws nothing. */
type Act = (inputs: readonly AnyNumber[]) => AnyNumber;

/** Values of inputs by their name. Of a boolean its truth counts, 1 or 0. */
export type ExpressionInputs = Readonly<Record<string, unknown>>;

type ExpressionLimits = Pick<Limits, 'maxExpressionCharacters' | 'maxExpressionDepth'>;

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);
const SUMS: ReadonlySet<string> = new Set(['+', '-']);
const PRODUCTS: ReadonlySet<string> = new Set(['*', '/', '%']);
const POWER: ReadonlySet<string> = new Set(['^']);

/**
 * The function that an expression describes, as `computed` takes it; `names` are those of its inputs. What is no number
 * counts as NaN.
 * @throws LocalProtocolError naming the position of the fault, counted from 1
 * @throws LimitError when the text is too long or nested too deeply
 */
export function expression(
  text: string,
  names: readonly string[],
  limits: ExpressionLimits = DEFAULT_LIMITS,
): (inputs: ExpressionInputs) => AnyNumber {
  const act = new Parser(text, names, limits).whole();
  return (inputs) => act(names.map((name) => numberOf(Object.hasOwn(inputs, name) ? inputs[name] : undefined)));
}

/** Why an input cannot have a name; undefined if it can. */
export function wrongInputName(name: string): string | undefined {
  if (!/^[A-Za-z_]\w*$/.test(name)) return 'is no name; expected letters, digits and _';
  if (FUNCTIONS.has(name)) return 'is the name of a function of expressions';
  return CONSTANTS.has(name) ? 'is the name of a constant of expressions' : undefined;
}

function numberOf(value: unknown): AnyNumber {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  return typeof value === 'boolean' ? truth(value) : Number.NaN;
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #names: readonly string[];
  readonly #limits: ExpressionLimits;
  #at = 0;
  #depth = 0;

  constructor(text: string, names: readonly string[], limits: ExpressionLimits) {
    const { maxExpressionCharacters } = limits;
    if (text.length > maxExpressionCharacters)
      throw new LimitError('maxExpressionCharacters', text.length, maxExpressionCharacters, 'expression');
    this.#tokens = tokensOf(text);
    this.#names = names;
    this.#limits = limits;
  }

  whole(): Act {
    const act = this.#choice();
    if (this.#next.kind !== 'end') throw this.#unexpected('an operator or the end');
    return act;
  }

  get #next(): Token {
    const token = this.#tokens[this.#at] ?? this.#tokens.at(-1);
    return token ?? { kind: 'end', text: 'the end', position: 1 };
  }

  #choice(): Act {
    return this.#nested(() => {
      const condition = this.#or();
      if (!this.#takes('?')) return condition;
      const then = this.#choice();
      this.#expect(':');
      const otherwise = this.#choice();
      return (inputs) => (isTrue(condition(inputs)) ? then(inputs) : otherwise(inputs));
    });
  }

  #or(): Act {
    const parts = [this.#and()];
    while (this.#takes('||')) parts.push(this.#and());
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return only;
    return (inputs) => truth(parts.some((part) => isTrue(part(inputs))));
  }

  #and(): Act {
    const parts = [this.#comparison()];
    while (this.#takes('&&')) parts.push(this.#comparison());
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return only;
    return (inputs) => truth(parts.every((part) => isTrue(part(inputs))));
  }

  #comparison(): Act {
    const left = this.#sum();
    const compare = this.#takeOne(COMPARISONS);
    if (compare === undefined) return left;
    const right = this.#sum();
    if (this.#next.kind === 'symbol' && COMPARISONS.has(this.#next.text))
      throw faultAt(this.#next.position, `comparisons do not chain; write a < b && b < c`);
    return (inputs) => compare(left(inputs), right(inputs));
  }

  #sum(): Act {
    return this.#chain(SUMS, () => this.#product());
  }

  #product(): Act {
    return this.#chain(PRODUCTS, () => this.#unary());
  }

  /** Operators of one rank from left to right, in a loop and not in each other: a sum may be as long as it likes. */
  #chain(operators: ReadonlySet<string>, operand: () => Act): Act {
    const first = operand();
    const rest: (readonly [BinaryAct, Act])[] = [];
    for (let act = this.#takeOne(operators); act !== undefined; act = this.#takeOne(operators)) {
      rest.push([act, operand()]);
    }
    if (rest.length === 0) return first;
    return (inputs) => {
      let result = first(inputs);
      for (const [act, right] of rest) result = act(result, right(inputs));
      return result;
    };
  }

  #unary(): Act {
    if (this.#takes('+')) return this.#nested(() => this.#unary());
    if (this.#takes('-')) {
      const operand = this.#nested(() => this.#unary());
      return (inputs) => negated(operand(inputs));
    }
    if (!this.#takes('!')) return this.#power();
    const operand = this.#nested(() => this.#unary());
    return (inputs) => truth(!isTrue(operand(inputs)));
  }

  #power(): Act {
    const base = this.#operand();
    const act = this.#takeOne(POWER);
    if (act === undefined) return base;
    const exponent = this.#nested(() => this.#unary());
    return (inputs) => act(base(inputs), exponent(inputs));
  }

  #operand(): Act {
    const token = this.#next;
    if (token.kind === 'number') {
      this.#at++;
      const number = numberIn(token.text);
      return () => number;
    }
    if (token.kind === 'name') return this.#named(token);
    if (!this.#takes('(')) throw this.#unexpected('a number, a name or (');
    const inner = this.#choice();
    this.#expect(')');
    return inner;
  }

  #named({ text, position }: Token): Act {
    this.#at++;
    const isCall = this.#next.text === '(';
    if (FUNCTIONS.has(text) || isCall) return this.#call(text, position);
    const constant = CONSTANTS.get(text);
    if (constant !== undefined) return () => constant;
    const index = this.#names.indexOf(text);
    if (index < 0) throw faultAt(position, `there is no input ${text}; the inputs are ${listed(this.#names)}`);
    return (inputs) => inputs[index] ?? Number.NaN;
  }

  #call(name: string, position: number): Act {
    const found = FUNCTIONS.get(name);
    if (found === undefined)
      throw faultAt(position, `there is no function ${name}; there are ${listed([...FUNCTIONS.keys()])}`);
    if (!this.#takes('(')) throw this.#unexpected('(');
    const parts: Act[] = [];
    if (this.#next.text !== ')') {
      do parts.push(this.#choice());
      while (this.#takes(','));
    }
    this.#expect(')');
    const { act, least, most } = found;
    if (parts.length < least || parts.length > most) {
      const wanted = most === least ? String(least) : `at least ${least}`;
      throw faultAt(position, `${name} takes ${wanted}, and not ${parts.length} arguments`);
    }
    return (inputs) => act(parts.map((part) => part(inputs)));
  }

  #nested(parse: () => Act): Act {
    const { maxExpressionDepth } = this.#limits;
    this.#depth++;
    if (this.#depth > maxExpressionDepth) {
      const where = `expression, at character ${this.#next.position}`;
      throw new LimitError('maxExpressionDepth', this.#depth, maxExpressionDepth, where);
    }
    const act = parse();
    this.#depth--;
    return act;
  }

  #takes(symbol: string): boolean {
    const isNext = this.#next.kind === 'symbol' && this.#next.text === symbol;
    if (isNext) this.#at++;
    return isNext;
  }

  #takeOne(operators: ReadonlySet<string>): BinaryAct | undefined {
    const { kind, text } = this.#next;
    if (kind !== 'symbol' || !operators.has(text)) return undefined;
    this.#at++;
    return BINARY.get(text);
  }

  #expect(symbol: string): void {
    if (!this.#takes(symbol)) throw this.#unexpected(`${symbol} or an operator`);
  }

  #unexpected(expected: string): Error {
    const { kind, text, position } = this.#next;
    return faultAt(position, `${expected} expected, found ${kind === 'end' ? text : JSON.stringify(text)}`);
  }
}

/** An integer past 2^53 is kept to the last digit. */
function numberIn(text: string): AnyNumber {
  const number = Number(text);
  return Number.isSafeInteger(number) || !/^(\d+|0x[\da-f]+)$/i.test(text) ? number : BigInt(text);
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}
