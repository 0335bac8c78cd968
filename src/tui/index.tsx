export { openScreen, type ScreenOptions } from './index.ts';
