// How is a figure written so that a person can take it in? Three digits that mean something.

export function withUnit(figure: number, unit: string): string {
  const [scale, prefix] = scaleOf(figure);
  const scaled = figure / scale;
  const digits = scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2;
  return `${scaled.toFixed(digits)} ${prefix}${unit}`.trimEnd();
}

function scaleOf(figure: number): readonly [number, string] {
  if (figure >= 1e9) return [1e9, 'G'];
  if (figure >= 1e6) return [1e6, 'M'];
  return figure >= 1e4 ? [1e3, 'k'] : [1, ''];
}
