// Says which links between the pages lead nowhere.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const pages = readdirSync('.').filter((name) => name.endsWith('.html'));
const broken = pages.flatMap((page) =>
  [...readFileSync(page, 'utf8').matchAll(/href="([^"#:]+)"/g)]
    .map(([, target]) => target)
    .filter((target) => !existsSync(target))
    .map((target) => `${page}: no such file: ${target}`),
);
for (const line of broken) console.error(line);
if (broken.length > 0) process.exitCode = 1;
else console.log(`${pages.length} pages, no broken link`);
