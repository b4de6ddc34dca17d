// Which Redis does a URL mean, and what is told of it?
import { describe, expect, it } from 'vitest';
import { RedisKeys } from '../../../src/channels/stores/redis/redis-keys.ts';
import { locationOf, parseRedisUrl } from '../../../src/channels/stores/redis/redis-url.ts';

describe('the URL of a Redis', () => {
  it('names one server, with sensible defaults', () => {
    expect(parseRedisUrl('redis://host')).toEqual({
      mode: 'single',
      addresses: [{ host: 'host', port: 6379 }],
      username: undefined,
      password: undefined,
      db: 0,
      prefix: 'pvkit:',
      tls: undefined,
    });
    expect(parseRedisUrl('redis://[::1]:7000/3')).toMatchObject({ addresses: [{ host: '::1', port: 7000 }], db: 3 });
  });

  it('may have a user and any password', () => {
    expect(parseRedisUrl('redis://:a%40b%2Fc@h')).toMatchObject({ username: undefined, password: 'a@b/c' });
    expect(parseRedisUrl('redis://me:pa:ss@h')).toMatchObject({ username: 'me', password: 'pa:ss' });
  });

  it('names Sentinels and their master, or nodes of a cluster', () => {
    expect(parseRedisUrl('redis+sentinel://:pw@a,b:5000/lab/2')).toMatchObject({
      mode: 'sentinel',
      masterName: 'lab',
      addresses: [
        { host: 'a', port: 26379 },
        { host: 'b', port: 5000 },
      ],
      db: 2,
    });
    expect(parseRedisUrl('redis+cluster://a:7000,b:7001')).toMatchObject({
      mode: 'cluster',
      addresses: [
        { host: 'a', port: 7000 },
        { host: 'b', port: 7001 },
      ],
    });
  });

  it('takes a prefix, and files for TLS', () => {
    expect(parseRedisUrl('rediss://h/0?prefix=lab%3A&ca=/etc/ca.pem')).toMatchObject({
      prefix: 'lab:',
      tls: { ca: '/etc/ca.pem' },
    });
  });

  it.each([
    ['http://h', /redis:\/\/host:port\/db/u],
    ['redis://', /expected/u],
    ['redis://h:0', /'h:0' is no host:port/u],
    ['redis://h:99999', /no host:port/u],
    ['redis://user:geheim', /'user:\*\*\*' is no host:port/u],
    ['redis://a,b/0', /several hosts/u],
    ['redis://h/zero', /'zero' is no number/u],
    ['redis://h/0/1', /follows the database/u],
    ['redis+sentinel://h', /name of the master/u],
    ['redis+cluster://h/1', /no databases/u],
    ['redis://h?ca=x', /'ca' is not known/u],
    ['redis://h?prefix=', /prefix has/u],
    ['redis://geheim@h', /user:password/u],
    ['redis://:geheim%zz@h', /a % that is none/u],
  ])('that is wrong is refused with the reason, without a password: %s', (url, why) => {
    expect(() => parseRedisUrl(url)).toThrow(why);
    expect(() => parseRedisUrl(url)).not.toThrow(/geheim/u);
  });

  it('is shown without user, password and files', () => {
    const shown = (url: string): string => locationOf(parseRedisUrl(url));
    expect(shown('redis://me:geheim@h')).toBe('redis://h:6379/0');
    expect(shown('rediss://:geheim@[::1]/2?prefix=a:&key=k.pem')).toBe('rediss://[::1]:6379/2?prefix=a%3A');
    expect(shown('redis+sentinel://:geheim@a,b/lab')).toBe('redis+sentinel://a:26379,b:26379/lab/0');
    expect(shown('redis+cluster://a,b')).toBe('redis+cluster://a:6379,b:6379');
  });
});

describe('the keys of a store', () => {
  it('all begin with its prefix, and tell the names of channels', () => {
    const keys = new RedisKeys('a*[b]:');
    expect(keys.nameOf(keys.channel('lab:x'))).toBe('lab:x');
    expect(keys.nameOf(keys.store)).toBeUndefined();
    expect(keys.channelPattern).toBe(String.raw`a\*\[b\]:channel:*`);
  });
});
