// How can text that came from a peer be shown without letting it steer the reader's terminal?

const UNSAFE = /[^\P{Cc}\n\t]|[\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;

/** The text with control and format characters as `\u{...}`; line breaks and tabs stay. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
