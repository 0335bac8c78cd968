import { Box, Text, useCursor } from 'ink';
// Calls rather than JSX: Node runs this file as it is, and JSX it would not.
import { createElement, memo, type ReactElement } from 'react';
import type { Picture } from './draw.ts';

/** A row is one string with its styles in it; an empty one still takes its line. */
const Row = memo(function Row({ text }: { readonly text: string }): ReactElement {
  return createElement(Text, { wrap: 'truncate' }, text || ' ');
});

/** The whole picture as rows: as few nodes as there are lines, since layout is what a frame costs. */
export function Screen({ picture }: { readonly picture: Picture }): ReactElement {
  const { setCursorPosition } = useCursor();
  setCursorPosition(picture.cursor);
  const rows = picture.rows.map((text, y) => createElement(Row, { key: y, text }));
  return createElement(Box, { flexDirection: 'column' }, rows);
}
