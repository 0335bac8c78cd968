import stringWidth from 'string-width';

/** Rows as aligned lines, cut to the terminal's width where there is one (`columns`). */
export function table(rows: readonly (readonly string[])[], columns?: number): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, stringWidth(cell));
  }
  return rows.map((row) => {
    const line = row
      .map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - stringWidth(cell)))
      .join('  ')
      .trimEnd();
    return columns === undefined ? line : cut(line, columns);
  });
}

function cut(line: string, columns: number): string {
  if (stringWidth(line) <= columns) return line;
  let kept = '';
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(line)) {
    width += stringWidth(segment);
    if (width > columns - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}
