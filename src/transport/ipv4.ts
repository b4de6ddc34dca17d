// How does one reckon with IPv4 addresses and netmasks given as text?

/** `10.0.0.5` and `255.255.255.0` to `10.0.0.255`; undefined where a network has no broadcast address (/31, /32). */
export function broadcastOf(address: string, netmask: string): string | undefined {
  const hostBits = ~toBits(netmask) >>> 0;
  return hostBits <= 1 ? undefined : toText(toBits(address) | hostBits);
}

/** 24 to `255.255.255.0` */
export function netmaskOf(prefixBits: number): string {
  return toText(prefixBits === 0 ? 0 : -1 << (32 - prefixBits));
}

export function isSameNetwork(a: string, b: string, netmask: string): boolean {
  const mask = toBits(netmask);
  return (toBits(a) & mask) === (toBits(b) & mask);
}

function toBits(ipv4: string): number {
  return ipv4.split('.').reduce((bits, byte) => (bits << 8) | Number(byte), 0);
}

function toText(bits: number): string {
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join('.');
}
