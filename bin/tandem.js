#!/usr/bin/env node
'use strict';

const { existsSync } = require('node:fs');
const { join } = require('node:path');

const command = join(__dirname, '..', 'dist', 'cli.cjs');
if (existsSync(command)) {
  require(command).main(process.argv.slice(2));
} else {
  process.stderr.write('tandem: not built yet: expected dist/cli.cjs, found none; run `npm run build`\n');
  process.exitCode = 1;
}
