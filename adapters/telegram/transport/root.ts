export const DEFAULT_ROOT = 'https://api.telegram.org';
