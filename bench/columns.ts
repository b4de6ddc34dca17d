// How do cells become a table that lines up?

/** Lines without the last line break; cells of the columns in `left` begin in one line, others end in one. */
export function columns(rows: readonly (readonly string[])[], { left }: { readonly left: readonly number[] }): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return left.includes(column) ? cell.padEnd(width) : cell.padStart(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
