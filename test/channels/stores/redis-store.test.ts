// Does the redis store keep the contract, on a real Redis?
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRedisStore } from '../../../src/channels/stores/redis/redis-store.ts';
import { eventually, pointOf, POINT } from '../../../src/channels/stores/suite/suite-support.ts';
import { channelStoreSuite } from '../../../src/testing.ts';
import { freePort, RedisServer } from '../../support/redis-server.ts';

let redis: RedisServer;

beforeAll(async () => {
  redis = await RedisServer.start();
});

afterAll(async () => {
  await redis.close();
});

describe('the redis store', () => {
  channelStoreSuite({
    test: it,
    makeWorld: () => {
      redis.cli('flushall');
      return { open: () => openRedisStore(redis.url), isShared: true, isDurable: true, dispose: async () => {} };
    },
  });
});

describe('the redis store with TLS', () => {
  it('believes only who has a certificate of its authority', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pvkit-tls-'));
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const request = 'req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1';
    execFileSync('openssl', [...request.split(' '), '-keyout', key, '-out', certificate], { stdio: 'ignore' });
    const port = await freePort();
    const tls = ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-auth-clients', 'no'];
    const secure = await RedisServer.start({ port, args: ['--port', '0', '--tls-port', String(port), ...tls] });
    try {
      const store = await openRedisStore(`rediss://127.0.0.1:${port}/0?ca=${encodeURIComponent(certificate)}`);
      await store.define({ name: 'a', type: POINT, settings: {} });
      expect(await store.write('a', pointOf({ x: 1 }))).toBe(1);
      await store.close();
      await expect(openRedisStore(`rediss://127.0.0.1:${port}/0`)).rejects.toThrow(/self-signed/u);
      await expect(openRedisStore(`rediss://127.0.0.1:${port}/0?ca=/missing.pem`)).rejects.toThrow(/'ca'/u);
    } finally {
      await secure.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('the redis store on a cluster of three', () => {
  const nodes: RedisServer[] = [];

  beforeAll(async () => {
    for (let index = 0; index < 3; index++) {
      // Its second port, for the cluster itself, is ten thousand above by default, which may be too high.
      const busPort = await freePort();
      const args = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--cluster-node-timeout', '2000'];
      nodes.push(await RedisServer.start({ args }));
    }
    const [first] = nodes;
    first?.cli('--cluster', 'create', ...nodes.map(({ port }) => `127.0.0.1:${port}`), '--cluster-yes');
    await eventually('the cluster is ready', () =>
      nodes.every((node) => node.cli('cluster', 'info').includes('cluster_state:ok')),
    );
  }, 30_000);

  afterAll(async () => {
    for (const node of nodes) await node.close();
  });

  it('has again what it knows after all of them have lost their data', async () => {
    for (const node of nodes) node.cli('flushall');
    const store = await openRedisStore(`redis+cluster://127.0.0.1:${nodes[0]?.port}`);
    try {
      const names = ['a', 'b', 'c', 'd', 'e', 'f'];
      for (const name of names) await store.define({ name, type: POINT, settings: {} });
      for (const node of nodes) node.cli('flushall');
      const isThere = (name: string): boolean => nodes[0]?.cli('-c', 'exists', `pvkit:channel:${name}`) === '1';
      await eventually('it is put back', () => names.every((name) => isThere(name)));
      await eventually('it is connected', () => store.health.isConnected);
      expect(await store.write('a', pointOf({ x: 1 }))).toBe(1);
    } finally {
      await store.close();
    }
  });

  channelStoreSuite({
    test: it,
    makeWorld: () => {
      for (const node of nodes) node.cli('flushall');
      const url = `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
      return { open: () => openRedisStore(url), isShared: true, isDurable: true, dispose: async () => {} };
    },
  });
});
