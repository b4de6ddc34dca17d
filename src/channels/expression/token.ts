// Which words does the text of an expression consist of, and where does each stand?

import { LocalProtocolError } from '../../protocol/errors.ts';

export interface Token {
  readonly kind: 'number' | 'name' | 'symbol' | 'end';
  readonly text: string;
  /** Counted from 1. */
  readonly position: number;
}

const BLANKS = /\s*/y;
const NUMBER = /0x[\da-f]+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/iy;
const NAME = /[A-Za-z_]\w*/y;
const SYMBOL = /[<>=!]=|&&|\|\||[-+*/%^<>!?:(),]/y;

/** What people of other languages write. */
const MEANT: ReadonlyMap<string, string> = new Map([
  ['=', '=='],
  ['&', '&&'],
  ['|', '||'],
  ['#', '!='],
]);

/** The words in order, the last of them the end. @throws LocalProtocolError naming the position of what is no word */
export function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  for (;;) {
    at += take(BLANKS)?.length ?? 0;
    const position = at + 1;
    if (at === text.length) return [...tokens, { kind: 'end', text: 'the end', position }];
    const [number, name, symbol] = [take(NUMBER), take(NAME), take(SYMBOL)];
    const found = number ?? name ?? symbol;
    if (found === undefined) throw faultAt(position, strangerText(text, at));
    at += found.length;
    if (number !== undefined) {
      // 2x and 0xfg are no numbers with names behind them, but slips.
      const tail = take(NAME) ?? take(NUMBER);
      if (tail !== undefined) throw faultAt(position, `${JSON.stringify(found + tail)} is no number`);
      tokens.push({ kind: 'number', text: number, position });
    } else tokens.push({ kind: name === undefined ? 'symbol' : 'name', text: found, position });
  }
}

/** What is wrong at a position, counted from 1. */
export function faultAt(position: number, what: string): LocalProtocolError {
  return new LocalProtocolError(`at character ${position}: ${what}`);
}

function strangerText(text: string, at: number): string {
  const stranger = String.fromCodePoint(text.codePointAt(at) ?? 0);
  const meant = MEANT.get(stranger);
  return `${JSON.stringify(stranger)} is no operator${meant === undefined ? '' : `; did you mean ${meant} ?`}`;
}
