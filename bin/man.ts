/**
 * The man pages from the verbs' own `--help`: `npm run docs` writes docs/man, and a test fails where a page is not what
 * this makes.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { manPages } from '../src/cli/man.ts';

const folder = new URL('../docs/man/', import.meta.url);
await mkdir(folder, { recursive: true });
for (const { name, roff } of await manPages()) await writeFile(new URL(name, folder), roff);
