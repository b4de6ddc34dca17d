// Which version of pvkit is this?

import { readFileSync } from 'node:fs';

/** Of the package: its description is two folders up from here, in `src` as in `dist`. */
export function packageVersion(): string {
  const description: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  if (typeof description !== 'object' || description === null || !('version' in description)) return 'unknown';
  return String(description.version);
}
