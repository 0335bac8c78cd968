/** Lists the licences of what is installed; anything but a permissive one is a finding. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const permissive =
  /^\(?(MIT|MIT-0|ISC|BSD-2-Clause|BSD-3-Clause|0BSD|Apache-2\.0|CC0-1\.0|BlueOak-1\.0\.0|Unlicense|Python-2\.0|CC-BY-3\.0|CC-BY-4\.0)\)?$/;
/** Runs only while building or testing, as a program of its own, and is never part of what is shipped. */
const toolsOnly = new Map([['lightningcss', 'MPL-2.0']]);

const lock = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8')) as {
  packages: Record<string, { license?: string; dev?: boolean }>;
};
const counts = new Map<string, number>();
const findings: string[] = [];
for (const [path, entry] of Object.entries(lock.packages)) {
  if (path === '') continue;
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const licence = entry.license ?? licenceOfFolder(`${root}${path}`) ?? 'unknown';
  counts.set(licence, (counts.get(licence) ?? 0) + 1);
  const parts = licence.replace(/[()]/g, '').split(' OR ');
  const tool = [...toolsOnly].some(([tool, its]) => name.startsWith(tool) && licence === its && entry.dev === true);
  if (!parts.some((part) => permissive.test(part)) && !tool) findings.push(`${name}: ${licence}`);
}
for (const [licence, count] of [...counts].sort((a, b) => b[1] - a[1]))
  console.log(`${String(count).padStart(4)}  ${licence}`);
for (const line of findings) console.error(`not permissive: ${line}`);
if (findings.length > 0) process.exitCode = 1;

/** Old packages name it in the file only. */
function licenceOfFolder(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  const [file] = globSync('{LICENSE,LICENCE,license,License}*', { cwd: folder });
  if (!file) return undefined;
  const text = readFileSync(`${folder}/${file}`, 'utf8');
  return /Permission is hereby granted, free of charge/.test(text) ? 'MIT' : undefined;
}
