// Which limits does the text of a test file say that its tests hit?

/** The head of a test or of a table of tests, then `hitsLimit(...)` alone in the next line. */
const MARK = /(?:^|\n)[^\n]*(?:\b(?:it|test)\(|\)\()[^\n]*=> \{\n *hitsLimit\(([^)]*)\);/gu;

export function limitsHitIn(text: string): string[] {
  return [...text.matchAll(MARK)].flatMap(([, list = '']) =>
    [...list.matchAll(/'(\w+)'/gu)].map(([, name = '']) => name),
  );
}
