/** Every package in the lockfile has a checksum, and none a download address. `--strip` takes the addresses out. */
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../../package-lock.json', import.meta.url);
const text = readFileSync(file, 'utf8');
if (process.argv.includes('--strip')) {
  writeFileSync(file, text.replace(/^\s*"resolved": "https?:[^\n]*\n/gm, ''));
} else {
  const { packages } = JSON.parse(text) as {
    packages: Record<string, { integrity?: string; resolved?: string; link?: boolean }>;
  };
  const wrong = Object.entries(packages).flatMap(([path, entry]) => {
    if (path === '') return [];
    return [
      ...(entry.integrity ? [] : [`${path}: no integrity`]),
      ...(entry.resolved ? [`${path}: a download address`] : []),
    ];
  });
  for (const line of wrong) console.error(line);
  console.log(`lockfile: ${Object.keys(packages).length - 1} packages, ${wrong.length} findings`);
  if (wrong.length > 0) process.exitCode = 1;
}
