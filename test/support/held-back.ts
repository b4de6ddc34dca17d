// Where does the text of a test file keep tests from running, or run only some?

const MARKS: readonly RegExp[] = [
  // Whatever they are called with later: `const run = isFast ? it : it.skip` is one, too.
  /\b(?:it|test|describe|suite|bench)(?:\s*\.\s*\w+)*?\s*\.\s*(?:skip|only|todo|fails|skipIf|runIf)\b/gu,
  /^\s*(?:xit|xtest|xdescribe|fit|ftest|fdescribe)[(.]/gmu,
  /\b(?:context|ctx|task|t)\.skip\(/gu,
  /\(\{[^{}()]*\bskip\b[^{}()]*\}\)\s*=>/gu,
  /\{[^{}()]*\b(?:skip|only|todo|fails):\s*(?!false\b)[^{}()]*\}\s*,\s*(?:async\b|\(|function\b)/gu,
];

/** What is held back, as it stands there. */
export function heldBackIn(text: string): string[] {
  const code = text.replaceAll(/^\s*(?:\/\/|\/?\*).*$/gmu, '');
  return MARKS.flatMap((mark) => [...code.matchAll(mark)].map(([found]) => found.replaceAll(/\s+/gu, ' ')));
}
