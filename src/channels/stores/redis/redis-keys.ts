// Which keys and fields does the redis store use? All of them, and nowhere else is one spelled.
//
//   <prefix>store          hash: `format` and `id` of this store
//   <prefix>nodes          hash: one field for each server that is alive
//   <prefix>channel:<name> hash: one channel with everything that is known of it (channel-hash.ts)
//   <prefix>changes        Pub/Sub topic, no key: what happened to which channel (change-message.ts)
//
// A channel is one key, so that it is made, written and destroyed in one step, no part of it can be left behind, and a
// cluster needs no two keys in one slot.

export class RedisKeys {
  readonly prefix: string;
  readonly store: string;
  readonly nodes: string;
  readonly changes: string;
  readonly #channels: string;

  constructor(prefix: string) {
    this.prefix = prefix;
    this.store = `${prefix}store`;
    this.nodes = `${prefix}nodes`;
    this.changes = `${prefix}changes`;
    this.#channels = `${prefix}channel:`;
  }

  channel(name: string): string {
    return this.#channels + name;
  }

  /** The name of the channel that a key holds; undefined for any other key. */
  nameOf(key: string): string | undefined {
    return key.startsWith(this.#channels) ? key.slice(this.#channels.length) : undefined;
  }

  /** What SCAN finds the channels with. */
  get channelPattern(): string {
    return `${this.#channels.replaceAll(/[\\*?[\]^-]/gu, String.raw`\$&`)}*`;
  }
}
