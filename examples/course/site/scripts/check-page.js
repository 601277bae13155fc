// Says which link or picture of the page leads nowhere, and which diagram the page forgets.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const page = readFileSync('index.html', 'utf8');
const named = [...page.matchAll(/(?:href|src)="([^"#:]+)"/g)].map(([, path]) => path);
const made = readdirSync('needs', { recursive: true }).map((path) => `needs/${path}`);
const faults = [
  ...named.filter((path) => !existsSync(path)).map((path) => `no such file: ${path}`),
  ...made
    .filter((path) => /\.(?:svg|html)$/.test(path) && !named.includes(path))
    .map((path) => `not on the page: ${path}`),
];
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;
else console.log(`${named.length} links and pictures, all there`);
