// Gives the interoperability tests their Java peer: core-pva, the implementation of Phoebus, from Maven Central into
// `.peers/java`, and the server of test/interop/peers/JavaServer.java compiled beside it. Does nothing when it is there.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const artifactFile = join(root, 'test', 'interop', 'java-requirements.txt');
const serverSource = join(root, 'test', 'interop', 'peers', 'JavaServer.java');
const folder = join(root, '.peers', 'java');
const jar = join(folder, 'core-pva.jar');
const serverClass = join(folder, 'JavaServer.class');
const stampFile = join(folder, 'made-of.txt');
/** Named with its version, so that what Maven does here does not change with Maven. */
const copyGoal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy';

const artifact = readFileSync(artifactFile, 'utf8').trim();
const wanted = createHash('sha256').update(artifact).update(readFileSync(serverSource)).digest('hex');
const present = [jar, serverClass, stampFile].every(existsSync) ? readFileSync(stampFile, 'utf8') : '';
if (present !== wanted) {
  process.stderr.write('pvkit: installing the Java peer into .peers/java\n');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const options = ['--batch-mode', '--quiet', `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`];
  // Without its version in the file name, so that only one file knows it.
  run('mvn', [...options, '-Dmdep.stripVersion=true', copyGoal], 'Maven (mvn) and Maven Central within reach');
  run(
    'javac',
    ['-encoding', 'UTF-8', '-cp', jar, '-d', folder, serverSource],
    'a Java development kit 17 or newer (javac)',
  );
  writeFileSync(stampFile, wanted);
}
run('java', ['-version'], 'Java 17 or newer (java)', 'ignore');

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} expected
 * @param {'ignore' | 2} [output]
 */
function run(command, args, expected, output = 2) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', output, output],
    shell: process.platform === 'win32',
  });
  if (status === 0) return;
  process.stderr.write(
    `pvkit: \`${command} ${args.join(' ')}\` ended with ${error?.message ?? `exit code ${status}`}. Expected: ${expected}.\n`,
  );
  process.exit(1);
}
