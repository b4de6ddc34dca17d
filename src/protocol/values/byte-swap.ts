// How is a whole array turned from one byte order to the other, in place?

/** Reverses the bytes of each element of `width` bytes; the view must start where an element starts. */
export function swapBytes(bytes: Uint8Array, width: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.byteLength;
  switch (width) {
    case 2:
      for (let at = 0; at < end; at += 2) view.setUint16(at, view.getUint16(at, true), false);
      return;
    case 4:
      for (let at = 0; at < end; at += 4) view.setUint32(at, view.getUint32(at, true), false);
      return;
    case 8:
      for (let at = 0; at < end; at += 8) {
        const low = view.getUint32(at, true);
        view.setUint32(at, view.getUint32(at + 4, true), false);
        view.setUint32(at + 4, low, false);
      }
  }
}
