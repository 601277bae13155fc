import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { startScriptedModel } from './start-scripted-model.ts';
import type { ScenarioInput } from './scenario.ts';

const { values } = parseArgs({
  options: {
    scenario: { type: 'string' },
    port: { type: 'string', default: '0' },
    key: { type: 'string', multiple: true },
  },
});
if (values.scenario === undefined) {
  process.stderr.write('usage: main.ts --scenario FILE.json [--port N] [--key ACCEPTED_KEY]...\n');
  process.exitCode = 2;
} else {
  const scenario = JSON.parse(await readFile(values.scenario, 'utf8')) as ScenarioInput;
  const model = await startScriptedModel({
    scenario,
    port: Number(values.port),
    ...(values.key && { acceptedKeys: values.key }),
  });
  process.stdout.write(`${model.baseUrl}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void model.close());
}
