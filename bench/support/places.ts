import path from 'node:path';

export const checkout = path.join(import.meta.dirname, '../..');
export const site = path.join(checkout, 'examples/site');
export const command = path.join(checkout, 'bin/capstan.js');
/** Opens nothing: the scripted model takes any. */
export const key = 'bench-key-that-opens-nothing';
/** In the rival's arguments, for the folder of the job. An absolute path, because the permission profile is built with it. */
export const workspacePlaceholder = '/WORKSPACE';
