// How is an input written down? In hexadecimal, with what comes many times once: `ca02,25*30000,0a`.

/** A run that is shorter is written as it is. */
const LEAST_RUN_BYTES = 64;
const LONGEST_UNIT_BYTES = 64;

export function toHexText(bytes: Uint8Array): string {
  const parts: string[] = [];
  let plainFrom = 0;
  const endPlain = (at: number): void => {
    if (at > plainFrom) parts.push(hexOf(bytes.subarray(plainFrom, at)));
  };
  for (let at = 0; at < bytes.length;) {
    const { unit, count } = runAt(bytes, at);
    if (count === 1) at++;
    else {
      endPlain(at);
      parts.push(`${hexOf(bytes.subarray(at, at + unit))}*${count}`);
      at += unit * count;
      plainFrom = at;
    }
  }
  endPlain(bytes.length);
  return parts.join(',');
}

export function fromHexText(text: string): Uint8Array {
  const parts = text.split(',').flatMap((part) => {
    const [hex = '', count = '1'] = part.split('*');
    return Array.from({ length: Number(count) }, () => Buffer.from(hex, 'hex'));
  });
  return new Uint8Array(Buffer.concat(parts));
}

/** The shortest unit that comes often enough from here on; count 1 where there is none. */
function runAt(bytes: Uint8Array, at: number): { readonly unit: number; readonly count: number } {
  for (let unit = 1; unit <= LONGEST_UNIT_BYTES; unit++) {
    let end = at + unit;
    while (end < bytes.length && bytes[end] === bytes[end - unit]) end++;
    if (end - at >= Math.max(LEAST_RUN_BYTES, 2 * unit)) return { unit, count: Math.floor((end - at) / unit) };
  }
  return { unit: 1, count: 1 };
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
