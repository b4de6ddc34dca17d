// How is said how many there are? `1 channel`, `2 channels`.

/** The count with its word; `many` where that is not `one` with an s: `counted(count, 'link is open', 'links are open')`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
