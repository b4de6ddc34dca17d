// How does a parser of one small text say that the text is wrong, and how is such text quoted for a person?

/** The value, or a phrase that says what is wrong and what was expected. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly wrong: string };

/** Longest text that is repeated whole in a message. */
const SHOWN_CHARACTERS = 60;

export function right<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function wrong(message: string): { readonly ok: false; readonly wrong: string } {
  return { ok: false, wrong: message };
}

/** Text as a person may see it: quoted, control characters escaped, cut where it is long. */
export function quote(text: string): string {
  if (text.length <= SHOWN_CHARACTERS) return JSON.stringify(text);
  return `${JSON.stringify(text.slice(0, SHOWN_CHARACTERS))}... (${text.length} characters)`;
}
