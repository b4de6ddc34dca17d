// Which texts does a pattern such as `lab:*:temp?` fit? `*` stands for any characters or none, `?` for one; all else for
// itself, upper and lower case told apart.

const ANY = '*';
const ONE = '?';

export class Glob {
  readonly text: string;
  readonly #symbols: readonly string[];
  readonly #isLiteral: boolean;

  constructor(text: string) {
    this.text = text;
    this.#symbols = normalised(text);
    this.#isLiteral = !this.#symbols.some((symbol) => symbol === ANY || symbol === ONE);
  }

  /** Whether it fits every text. */
  get fitsAll(): boolean {
    return this.#symbols.length === 1 && this.#symbols[0] === ANY;
  }

  fits(text: string): boolean {
    if (this.fitsAll) return true;
    return this.#isLiteral ? this.text === text : walk(this.#symbols, Array.from(text), (one) => one !== undefined);
  }

  /** Whether it fits every text that `other` fits. True only if that is sure. */
  covers(other: Glob): boolean {
    // A `*` of the other is more than one character, and no character in particular.
    return walk(this.#symbols, other.#symbols, (one) => one !== ANY);
  }
}

/** One symbol a character; in a run of wildcards every `?` first and one `*` behind, so that equal runs look alike. */
function normalised(text: string): readonly string[] {
  return Array.from(text.replaceAll(/[*?]+/gu, inOrder));
}

function inOrder(run: string): string {
  return ONE.repeat(run.split(ONE).length - 1) + (run.includes(ANY) ? ANY : '');
}

/**
 * Walks the pattern along the symbols of a text or of another pattern. No more steps than one length times the other:
 * going back to the last `*` is enough, whatever stood before it fits already.
 */
function walk(
  pattern: readonly string[],
  along: readonly string[],
  fitsOne: (symbol: string | undefined) => boolean,
): boolean {
  let at = 0;
  let index = 0;
  let star = -1;
  let starIndex = 0;
  while (index < along.length) {
    const symbol = pattern[at];
    if (symbol === ANY) {
      star = at++;
      starIndex = index;
    } else if (symbol === ONE ? fitsOne(along[index]) : symbol !== undefined && symbol === along[index]) {
      at++;
      index++;
    } else if (star !== -1) {
      at = star + 1;
      index = ++starIndex;
    } else {
      return false;
    }
  }
  while (pattern[at] === ANY) at++;
  return at === pattern.length;
}
