// Is this text an IP address? (`node:net` knows too, but only transport/ may name it.)

const IPV4 = /^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;
const IPV6_GROUP = /^[\da-f]{1,4}$/i;
const IPV6_GROUPS = 8;

/** Four decimal numbers from 0 to 255; no leading zeros, which some resolvers read as octal. */
export function isIpv4(text: string): boolean {
  return IPV4.test(text);
}

/** RFC 4291 text, `::` and a trailing IPv4 part included, without brackets or zone. */
export function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const all = groups.flat();
  const last = all.at(-1);
  // The IPv4 part stands last in the whole text, so an empty second half means that there is none.
  const hasIpv4 = last !== undefined && last.includes('.') && groups.at(-1)?.length !== 0;
  const hex = hasIpv4 ? all.slice(0, -1) : all;
  if (!hex.every((group) => IPV6_GROUP.test(group))) return false;
  if (hasIpv4 && !isIpv4(last)) return false;
  const count = hex.length + (hasIpv4 ? 2 : 0);
  return halves.length === 2 ? count < IPV6_GROUPS : count === IPV6_GROUPS;
}

/** Is it a group address: 224.0.0.0/4 or ff00::/8? False for what is no address. */
export function isMulticast(text: string): boolean {
  if (isIpv4(text)) return Number(text.slice(0, text.indexOf('.'))) >> 4 === 14;
  return isIpv6(text) && /^ff[\da-f]{2}:/i.test(text);
}
