/** `npm run bench`: every figure beside its rival; `npm run bench -- NAME…`: those; `--json`: one JSON object a line; `--tiny`: only whether it works. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildRebuild } from './build-rebuild.ts';
import { cliHelp } from './cli-help.ts';
import { codexOverhead } from './codex-overhead.ts';
import { diagrams } from './diagrams.ts';
import { fleetFairness } from './fleet-fairness.ts';
import { gatewayCrash } from './gateway-crash.ts';
import { gatewayMemory } from './gateway-memory.ts';
import { gatewayOverhead } from './gateway-overhead.ts';
import { gatewayStream } from './gateway-stream.ts';
import { idleCpu } from './idle-cpu.ts';
import { memory } from './memory.ts';
import { queueThroughput } from './queue-throughput.ts';
import { restart } from './restart.ts';
import type { Figure } from './support/figure.ts';
import { describeMachine } from './support/machine.ts';
import { checkout } from './support/places.ts';
import { writeResults, type Ran } from './support/results.ts';
import { plainTable } from './support/table.ts';
import { wakeLatency } from './wake-latency.ts';
import { workerStart } from './worker-start.ts';

const figures: readonly Figure[] = [
  codexOverhead,
  queueThroughput,
  wakeLatency,
  idleCpu,
  restart,
  gatewayOverhead,
  gatewayStream,
  gatewayCrash,
  gatewayMemory,
  cliHelp,
  memory,
  diagrams,
  workerStart,
  buildRebuild,
  fleetFairness,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, tiny: { type: 'boolean', default: false } },
});

async function runFigures(asked: readonly Figure[], signal: AbortSignal): Promise<readonly Ran[]> {
  const ran: Ran[] = [];
  for (const figure of asked) {
    signal.throwIfAborted();
    const root = path.join(checkout, '.cache/bench');
    await mkdir(root, { recursive: true });
    const dir = await mkdtemp(path.join(root, `${figure.name}-`));
    process.stderr.write(`\n${figure.name}\n`);
    try {
      const say = (text: string): void => {
        process.stderr.write(`  ${text}\n`);
      };
      const rows = await figure.run({ scale: values.tiny ? 'tiny' : 'full', dir, signal, say });
      ran.push({ figure, rows });
      if (values.json)
        for (const row of rows) process.stdout.write(`${JSON.stringify({ name: figure.name, ...row })}\n`);
      else process.stdout.write(`${plainTable(rows)}\n`);
    } finally {
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    }
  }
  return ran;
}

async function main(): Promise<void> {
  const unknown = positionals.filter((name) => !figures.some((figure) => figure.name === name));
  if (unknown.length > 0) {
    process.stderr.write(
      `No figure is called ${unknown.join(', ')}. There are: ${figures.map(({ name }) => name).join(', ')}.\n`,
    );
    process.exitCode = 2;
    return;
  }
  const stop = new AbortController();
  process.once('SIGINT', () => {
    stop.abort();
  });
  const asked = figures.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const machine = await describeMachine(checkout);
  const ran = await runFigures(asked, stop.signal);
  if (!values.json && ran.length > 1)
    process.stdout.write(`\n${plainTable(ran.flatMap(({ rows }) => rows))}\n`);
  if (!values.tiny) writeResults(ran, machine, figures);
}

await main();
