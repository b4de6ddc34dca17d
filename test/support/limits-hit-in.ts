// Which limits does the text of a test file say that its tests hit?

/** The head of a test or of a table of tests, or its last line where it takes several; then `hitsLimit(...)` alone. */
const MARK =
  /(?:^|\n)(?:[^\n]*(?:\b(?:it|test)\(|\)\()[^\n]*| *(?:async )?\([^()\n]*\) )=> \{\n *hitsLimit\(([^)]*)\);/gu;

export function limitsHitIn(text: string): string[] {
  return [...text.matchAll(MARK)].flatMap(([, list = '']) =>
    [...list.matchAll(/'(\w+)'/gu)].map(([, name = '']) => name),
  );
}
