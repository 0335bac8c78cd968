/** What a verb loads only when it needs it, each a bundle of its own: its source under src/. */
export const heavy = {
  tui: 'tui/index',
  hub: 'hub/hub',
  offline: 'hub/offline',
  doctor: 'hub/doctor',
  demo: 'demo/stages',
} as const;
