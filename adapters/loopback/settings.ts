export interface LoopbackSettings {
  /** Picks the people. */
  readonly seed: string;
}

/** @throws Error in words for the person. */
export function parse(raw: unknown): LoopbackSettings {
  const seed = typeof raw === 'object' && raw !== null && 'seed' in raw ? raw.seed : undefined;
  if (seed === undefined || seed === '') return { seed: '1' };
  if (!/^\d{1,9}$/.test(String(seed))) throw new Error('"seed" has to be a number of at most nine digits');
  return { seed: String(seed) };
}
