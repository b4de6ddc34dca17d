// Do the documents say what the code says? What is written by `npm run docs` is held against the sources as they are.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { buildPackage, type BuiltPackage } from './support/built-package.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const documents = [
  ...['README.md', 'CONTRIBUTING.md'].map((name) => join(root, name)),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(root, 'docs', name)),
].map((file) => relative(root, file));

describe('what npm run docs writes', () => {
  let built: BuiltPackage;
  beforeAll(() => {
    built = buildPackage();
  }, 60_000);
  afterAll(() => built.remove());

  it('is what the code says now: the API with a comment for every name, states, limits, commands, variables', () => {
    const words = [join(root, 'scripts', 'docs.mjs'), '--check', '--dist', join(built.folder, 'dist')];
    const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  }, 30_000);
});

describe('every link', () => {
  it.each(documents)('of %s leads somewhere', (document) => {
    const text = readFileSync(join(root, document), 'utf8').replaceAll(/^```[^]*?^```$/gmu, '');
    const links = [...text.matchAll(/\]\((?!https?:)([^)\s]*)\)/gu)].map(([, link = '']) => link);
    const broken = links.filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? join(root, document) : join(root, dirname(document), path);
      if (!existsSync(target)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(target, 'utf8')).has(anchor);
    });
    expect(broken).toEqual([]);
  });
});

/** As GitHub makes them of headings: words joined by dashes, numbered where two are the same. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of markdown.replaceAll(/^```[^]*?^```$/gmu, '').matchAll(/^#+ (.*)$/gmu)) {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}
