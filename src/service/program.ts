import { fileURLToPath } from 'node:url';
import type { Program } from '../launcher/direct/worker-command.ts';

/** How this installation of Capstan is started. */
export const capstanProgram: Program = [
  process.execPath,
  fileURLToPath(new URL('../../bin/capstan.js', import.meta.url)),
];
