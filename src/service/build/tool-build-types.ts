import { globSync } from 'node:fs';
import { join } from 'node:path';
import { drawioFormats, drawioJobInputSchema } from '../../contract/drawio-job.ts';
import { notebookFormats, notebookJobInputSchema } from '../../contract/notebook-job.ts';
import { plantumlFormats } from '../../contract/plantuml-job.ts';
import { findDrawio } from '../../runners/drawio/find-drawio.ts';
import { findJupyter } from '../../runners/notebook/find-jupyter.ts';
import { findPlantuml } from '../../runners/plantuml/find-plantuml.ts';
import { documentBuildType } from './document-build-type.ts';

export const plantumlBuildType = documentBuildType({
  formats: plantumlFormats,
  defaultFormat: 'svg',
  options: {},
  async tool({ commandPath, config }, signal) {
    const { name, java, jar } = await findPlantuml({ path: commandPath, ...config.tools }, signal);
    return { version: name, witnesses: [java, jar] };
  },
});

const { execute, kernel, network, cellTimeoutMs } = notebookJobInputSchema.shape;

export const notebookBuildType = documentBuildType({
  formats: notebookFormats,
  defaultFormat: 'html',
  options: { execute, kernel, network, cellTimeoutMs },
  async tool({ commandPath, config }, signal) {
    const { name, python, folders } = await findJupyter({ path: commandPath, ...config.tools }, signal);
    // Packages come and go below these.
    const packages = folders.flatMap((folder) => globSync(join(folder, 'lib/python3*/site-packages')));
    return {
      version: name,
      witnesses: [python, '/usr/lib/python3/dist-packages', ...packages],
    };
  },
});

export const drawioBuildType = documentBuildType({
  formats: drawioFormats,
  defaultFormat: 'svg',
  options: { scale: drawioJobInputSchema.shape.scale },
  async tool({ commandPath, config }, signal) {
    const { name, files } = await findDrawio({ path: commandPath, ...config.tools }, signal);
    return { version: name, witnesses: files };
  },
});
