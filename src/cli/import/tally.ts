/** What became of all that was read. */
export interface Tally {
  stored: number;
  /** Stored before. */
  known: number;
  /** No messages: joins, parts and the like. */
  events: number;
  /** Not understood, or refused. */
  odd: number;
}

export const emptyTally = (): Tally => ({ stored: 0, known: 0, events: 0, odd: 0 });

export function tallyText({ stored, known, events, odd }: Tally): string {
  const count = (n: number, one: string, more: string): string => `${n.toLocaleString('en')} ${n === 1 ? one : more}`;
  return [
    `${count(stored, 'message', 'messages')} stored`,
    ...(known > 0 ? [`${known.toLocaleString('en')} known already`] : []),
    ...(events > 0 ? [`${count(events, 'line', 'lines')} of other kinds left out (joins, days, …)`] : []),
    ...(odd > 0 ? [`${count(odd, 'line', 'lines')} not understood`] : []),
  ].join(', ');
}
