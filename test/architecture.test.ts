// The layers hold: what imports what, where barrels stand, that every file says what it is for.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { brokenRules, type SourceFile } from './architecture/rules.ts';

const src = fileURLToPath(new URL('../src', import.meta.url));

describe('the source tree', () => {
  it('breaks no rule of the layers', () => {
    const files = readdirSync(src, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry): SourceFile => {
        const file = join(entry.parentPath, entry.name);
        return { path: relative(src, file).split(sep).join('/'), text: readFileSync(file, 'utf8') };
      });
    expect(files.length).toBeGreaterThan(0);
    expect(brokenRules(files)).toEqual([]);
  });
});

describe('a file that keeps to the layers', () => {
  it.each([
    ['protocol/reader.ts', "import { TruncatedError } from './errors.ts';"],
    ['protocol/messages/get.ts', "import type { TypeDesc } from '../types/type-desc.ts';"],
    ['protocol/messages/get.ts', "import {\n  parse,\n} from '../pv-request.ts';"],
    ['protocol/machines/link.ts', "import { ECHO } from '../messages/index.ts';"],
    ['protocol/dissector.ts', "import { Parser } from 'binary-parser';"],
    ['transport/tcp.ts', "import { connect } from 'node:net';\nimport { PvaError } from '../protocol/errors.ts';"],
    ['server/operations/get.ts', "import type { Source } from '../../channels/source.ts';"],
    ['client/get.ts', "import { GET } from '../protocol/messages/get.ts';"],
    ['config/toml-file.ts', "import { parse } from 'smol-toml';"],
    ['cli/get.ts', "import { Context } from '../index.ts';\nimport { Command } from 'commander';"],
    ['index.ts', "export { Server } from './server/server.ts';"],
    ['protocol/messages/index.ts', "export * from './get.ts';"],
    ['channels/source.ts', '// Every field came from its codec.\nconst all = fields as Fields;'],
    ['channels/source.ts', "const kinds = ['a'] as const;"],
    ['channels/source.ts', "const text = 'such as this';"],
    ['channels/source.ts', 'const text = `such\nas this`;'],
    ['channels/source.ts', "import { parse as read } from '../protocol/reader.ts';"],
    ['channels/source.ts', "// import { connect } from 'node:net';"],
  ])('is let through: %s with %j', (path, code) => {
    expect(brokenRules([{ path, text: `// What it is for.\n${code}\nexport const one = 1;\n` }])).toEqual([]);
  });
});

describe('a file that breaks a rule', () => {
  it.each([
    ['protocol/link.ts', "import { setTimeout } from 'node:timers';", /no node:\*/],
    ['protocol/link.ts', "import { tcp } from '../transport/tcp.ts';", /protocol may not use transport/],
    ['protocol/errors.ts', "import { Reader } from './reader.ts';", /errors may not use protocol; it may use nothing/],
    ['protocol/reader.ts', "import { wire } from './types/wire.ts';", /protocol may not use protocol\/types/],
    ['protocol/types/wire.ts', "import { codec } from '../values/codec.ts';", /types may not use protocol\/values/],
    ['protocol/values/codec.ts', "import { GET } from '../messages/get.ts';", /values may not use protocol\/messages/],
    ['protocol/messages/get.ts', "import { link } from '../machines/link.ts';", /may not use protocol\/machines/],
    ['protocol/extras/a.ts', 'const a = 1;', /no layer of this name/],
    ['protocol/types/wire.ts', "import { Parser } from 'binary-parser';", /only protocol may name binary-parser/],
    ['transport/tcp.ts', "import { GET } from '../protocol/messages/get.ts';", /transport may not use/],
    [
      'channels/shared-pv.ts',
      "import { connect } from 'node:net';",
      /only transport\/ names sockets, timers and processes/,
    ],
    ['channels/shared-pv.ts', "import { Server } from '../server/server.ts';", /channels may not use server/],
    ['server/server.ts', "import { setTimeout } from 'node:timers/promises';", /only transport\/ names sockets/],
    ['server/server.ts', "import type { Context } from '../client/context.ts';", /server may not use client/],
    ['client/context.ts', "import {\n  Server,\n} from '../server/server.ts';", /client may not use server/],
    ['client/context.ts', "const late = await import('../server/server.ts');", /client may not use server/],
    ['dispatch/queue.ts', "import { SharedPV } from '../channels/shared-pv.ts';", /dispatch may not use channels/],
    ['cli/get.ts', "import { Context } from '../client/context.ts';", /cli may not use client/],
    ['cli/get.ts', "import { load } from '../config/load.ts';", /cli may not use config/],
    ['cli/get.ts', "import '../testing.ts';", /cli may not use testing/],
    ['index.ts', "export { run } from './cli/run.ts';", /index may not use cli/],
    ['server/server.ts', "import { Command } from 'commander';", /only cli may name commander/],
    ['server/server.ts', "import lodash from 'lodash';", /a package that no layer may name/],
    ['server/server.ts', "import { vectors } from '../../test/vectors.ts';", /nothing outside of src/],
    ['server/server.ts', "import { link } from './link.js';", /write the extension \.ts/],
    ['server/index.ts', 'const one = 1;', /may re-export/],
    ['server/utils.ts', 'const one = 1;', /a name that says nothing/],
    ['server/server.ts', 'let a;\nlet b;\nconst all = fields as Fields;', /server\.ts:4: `as` without a comment/],
  ])('is named: %s with %j', (path, code, expected) => {
    const broken = brokenRules([{ path, text: `// What it is for.\n${code}\nexport const two = 2;\n` }]);
    expect(broken).toHaveLength(1);
    expect(broken[0]).toMatch(expected);
  });

  it('is named when it only re-exports and is no entry', () => {
    const text = "// Everything of the server.\nexport { Server } from './server.ts';\n";
    expect(brokenRules([{ path: 'server/all.ts', text }])).toEqual([expect.stringContaining('may re-export')]);
  });

  it('is named when it does not begin with the question it answers', () => {
    expect(brokenRules([{ path: 'server/link.ts', text: 'export const one = 1;\n' }])).toEqual([
      expect.stringContaining('says which question'),
    ]);
  });
});
