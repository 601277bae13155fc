#!/usr/bin/env node
// Has to parse on every Node that someone may have, so that an old one is told what to do instead of showing a syntax error.
var found = process.versions.node;
var parts = found.split('.');
var major = Number(parts[0]);

if (major < 22 || (major === 22 && Number(parts[1]) < 19)) {
  process.stderr.write(
    'capstan needs Node 22.19 or newer and was started with Node ' +
      found +
      ': install a newer one from https://nodejs.org, or in a checkout run `npm install` and then `npx capstan`.\n',
  );
  process.exitCode = 2;
} else {
  import('./start.js').catch(function (error) {
    console.error(error);
    process.exitCode = 1;
  });
}
