// How is the prose of `--help` written in the source, and how does it reach the terminal?

/** Paragraphs without their line breaks, so that they fill whatever width the terminal has. */
export function prose(text: string): string {
  return text.replaceAll(/(?<!\n)\n(?!\n)/gu, ' ');
}
