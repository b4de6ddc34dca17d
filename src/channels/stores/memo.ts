// How is work saved that comes again with the same text? The definitions of a store are many and much alike: of 100 000
// channels most have one of a few types, and settings that others have, too.

/** Results that are kept; past it all are forgotten. */
const MAX_ENTRIES = 1_000;
/** Longer texts are worked on each time, so that what is kept stays small. */
const MAX_CHARACTERS = 8_192;

/** The results of a function of a text, as long as there are few. What is given must not be changed. */
export class Memo<V> {
  readonly #known = new Map<string, V>();

  of(text: string, make: () => V): V {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const made = make();
    if (text.length > MAX_CHARACTERS) return made;
    if (this.#known.size >= MAX_ENTRIES) this.#known.clear();
    this.#known.set(text, made);
    return made;
  }
}
