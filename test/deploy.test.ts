// Would the image build and the compose file start what the documents say? No engine runs here: what both name is held
// against the repository, and the test client of the compose file is run against two servers on one Redis.

import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { parseYaml, type Yaml } from './support/plain-yaml.ts';
import { RedisServer } from './support/redis-server.ts';
import { Servers } from './kill/support/serving.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (name: string): string => readFileSync(join(root, name), 'utf8');

interface Instruction {
  readonly name: string;
  readonly words: string;
}

/** One for each instruction, lines that are continued joined. */
const dockerfile: readonly Instruction[] = read('Dockerfile')
  .replaceAll(/^#.*\n/gmu, '')
  .replaceAll(/\\\n/gu, ' ')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .map((line) => ({ name: line.split(' ')[0] ?? '', words: line.slice(line.indexOf(' ') + 1).trim() }));
const lastFrom = dockerfile.findLastIndex(({ name }) => name === 'FROM');
const buildStage = dockerfile.slice(0, lastFrom);
const imageStage = dockerfile.slice(lastFrom);

describe('the Dockerfile', () => {
  it('builds in one stage and ships another', () => {
    expect(dockerfile.filter(({ name }) => name === 'FROM').map(({ words }) => words)).toEqual([
      'node:${NODE} AS build',
      'node:${NODE}',
    ]);
    expect(
      imageStage.filter(({ name }) => name === 'COPY').every(({ words }) => words.startsWith('--from=build ')),
    ).toBe(true);
  });

  it('copies only what there is, and what .dockerignore lets through', () => {
    const letThrough = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = buildStage.flatMap(({ name, words }) => (name === 'COPY' ? words.split(' ').slice(0, -1) : []));
    expect(copied.toSorted()).toEqual(letThrough.toSorted());
    expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('has a Node.js that pvkit runs on', () => {
    const { engines, bin } = JSON.parse(read('package.json')) as { engines: { node: string }; bin: { pvkit: string } };
    const [, least] = />=(\d+)/u.exec(engines.node) ?? [];
    const [, version] = /^NODE=(\d+)-/u.exec(dockerfile[0]?.words ?? '') ?? [];
    expect(Number(version)).toBeGreaterThanOrEqual(Number(least));
    // What is linked to is what npm would link to.
    expect(imageStage.find(({ name }) => name === 'RUN')?.words).toContain(
      `ln -s /app/${bin.pvkit} /usr/local/bin/pvkit`,
    );
  });

  it('ends as a user that is not root, who owns the folder of the workspace', () => {
    const names = imageStage.map(({ name }) => name);
    expect(imageStage.find(({ name }) => name === 'USER')?.words).toBe('node');
    expect(names.indexOf('USER')).toBeLessThan(names.indexOf('ENTRYPOINT'));
    expect(names.lastIndexOf('RUN')).toBeLessThan(names.indexOf('USER'));
    expect(imageStage.find(({ name }) => name === 'RUN')?.words).toContain('chown node:node /data');
  });

  it('checks its health with pvkit probe, and is process 1 so that it gets SIGTERM', () => {
    expect(imageStage.find(({ name }) => name === 'HEALTHCHECK')?.words).toContain('CMD ["pvkit", "probe", "-w", "2"]');
    expect(imageStage.find(({ name }) => name === 'ENTRYPOINT')?.words).toBe('["pvkit"]');
  });
});

// --- compose ---------------------------------------------------------------------------------------------------

const compose = mapOf(parseYaml(read('docker-compose.yml')));
const services = mapOf(compose['services']);
const service = (name: string): Readonly<Record<string, Yaml>> => mapOf(services[name]);

/** Of the service in the Compose Specification, those that we use. */
const SERVICE_KEYS = [
  'build',
  'command',
  'depends_on',
  'entrypoint',
  'environment',
  'healthcheck',
  'hostname',
  'image',
  'ports',
  'profiles',
  'restart',
  'stop_grace_period',
  'ulimits',
  'volumes',
];

describe('docker-compose.yml', () => {
  it('has a store, two servers and a client for tests, with keys that Compose knows', () => {
    expect(Object.keys(compose)).toEqual(['x-pvkit', 'services', 'volumes']);
    expect(Object.keys(services)).toEqual(['dragonfly', 'pvkit-a', 'pvkit-b', 'test']);
    for (const name of Object.keys(services)) {
      expect(Object.keys(service(name)).filter((key) => !SERVICE_KEYS.includes(key))).toEqual([]);
    }
  });

  it('waits for what is there and is checked, and mounts volumes that are declared', () => {
    for (const name of Object.keys(services)) {
      for (const [other, how] of Object.entries(mapOf(service(name)['depends_on'] ?? {}))) {
        expect(how).toEqual({ condition: 'service_healthy' });
        expect(service(other)).toHaveProperty('healthcheck.test');
      }
      for (const volume of listOf(service(name)['volumes'] ?? [])) {
        expect(mapOf(compose['volumes'])).toHaveProperty(volume.split(':')[0] ?? '');
      }
    }
  });

  it('publishes no port of the store, checks servers with pvkit probe, and starts the client only when asked', () => {
    expect(service('dragonfly')).not.toHaveProperty('ports');
    for (const name of ['pvkit-a', 'pvkit-b']) {
      expect(service(name)).toHaveProperty('healthcheck.test', ['CMD', 'pvkit', 'probe', '-w', '2']);
      expect(service(name)['command']).toContain('redis://dragonfly:6379/0');
    }
    expect(service('test')).toMatchObject({ profiles: ['test'], entrypoint: ['/bin/sh', '-euc'] });
  });
});

describe('the client of the test profile', () => {
  let redis: RedisServer;
  let servers: Servers;
  let folder: string;

  beforeAll(async () => {
    redis = await RedisServer.start();
    servers = new Servers();
    folder = mkdtempSync(join(tmpdir(), 'pvkit-deploy-'));
    const program = join(folder, 'pvkit');
    writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${join(servers.dist, 'cli', 'main.js')}' "$@"\n`);
    chmodSync(program, 0o755);
  }, 60_000);

  afterAll(async () => {
    await servers.close();
    await redis.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('puts through one server and gets from the other, both started as the compose file does', async () => {
    const words = listOf(service('pvkit-a')['command'] ?? []).map((word) =>
      word.replace('redis://dragonfly:6379/0', redis.url),
    );
    expect(words.shift()).toBe('serve');
    const [a, b] = [await servers.start(words), await servers.start(words)];
    const [script = ''] = listOf(service('test')['command'] ?? []);
    const ran = await shell(
      script.replaceAll('$$', '$').replaceAll('pvkit-a:5075', a.server).replaceAll('pvkit-b:5075', b.server),
      {
        PATH: `${folder}:${process.env['PATH'] ?? ''}`,
        EPICS_PVA_AUTO_ADDR_LIST: 'NO',
        EPICS_PVA_ADDR_LIST: `127.0.0.1:${a.udpPort} 127.0.0.1:${b.udpPort}`,
      },
    );
    expect(ran).toMatchObject({ exitCode: 0 });
    expect(ran.stdout).toContain(`ok: 42 put through ${a.server}, got from ${b.server}`);
    expect(ran.stdout).toContain(`ok: 21.5 put through ${b.server}, got from ${a.server}`);
  }, 60_000);
});

function mapOf(yaml: Yaml | undefined): Readonly<Record<string, Yaml>> {
  if (yaml === undefined || typeof yaml === 'string' || Array.isArray(yaml)) throw new Error(`no map: ${String(yaml)}`);
  // No list, as has just been seen.
  return yaml as Readonly<Record<string, Yaml>>;
}

function listOf(yaml: Yaml): string[] {
  if (!Array.isArray(yaml)) throw new Error('no list');
  return yaml.map(String);
}

function shell(
  script: string,
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly stdout: string; readonly stderr: string; readonly exitCode: number | null }> {
  const child = spawn('/bin/sh', ['-euc', script], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve) => {
    child.on('close', (exitCode) => resolve({ stdout, stderr, exitCode }));
  });
}
