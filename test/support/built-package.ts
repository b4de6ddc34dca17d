// How do tests run the package as its users do? Built from the sources as they are, in a folder of its own.
//
// `dist` of the clone may be older than the sources, or not there.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface BuiltPackage {
  /** Holds package.json, dist and what the package depends on. */
  readonly folder: string;
  /** Compiles the examples into `examples/dist`, against `dist`. */
  buildExamples(): void;
  remove(): void;
}

export function buildPackage(): BuiltPackage {
  const folder = mkdtempSync(join(tmpdir(), 'pvkit-built-'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  compile('-p', join(root, 'tsconfig.build.json'), '--outDir', join(folder, 'dist'));
  spawnSync(process.execPath, [join(root, 'scripts', 'bundle.mjs'), join(folder, 'dist')], { stdio: 'inherit' });
  return {
    folder,
    buildExamples: () => {
      for (const name of ['examples', 'tsconfig.json', 'tsconfig.examples.json']) {
        cpSync(join(root, name), join(folder, name), { recursive: true });
      }
      compile('-p', join(folder, 'tsconfig.examples.json'));
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

function compile(...words: readonly string[]): void {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  spawnSync(process.execPath, [compiler, ...words], { stdio: 'inherit' });
}
