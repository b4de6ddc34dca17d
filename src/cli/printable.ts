// How can text that came from a peer be shown without letting it steer the reader's terminal?

const UNSAFE = /[^\P{Cc}\n\t]|[\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;

/** What is to stand on one line, such as a name in a list: line breaks and tabs do not stay either. */
export function printableLine(text: string): string {
  return printable(text).replace(/[\n\t]/gu, escaped);
}

/** The text with control and format characters as `\u{...}`; line breaks and tabs stay. */
export function printable(text: string): string {
  return text.replace(UNSAFE, escaped);
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
