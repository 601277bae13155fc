import type { Runner } from '../../domain/runner.ts';
import { createDocumentRunner } from '../../runners/document/create-document-runner.ts';
import { findPlantuml, graphvizMissing } from '../../runners/plantuml/find-plantuml.ts';
import { createPlantumlTool } from '../../runners/plantuml/plantuml-tool.ts';
import type { Capstan } from '../open-capstan.ts';
import { openToolRoom } from './open-tool-room.ts';

/** Puts the plantuml runner together; the caller starts and disposes it. Rejects with `plantuml_missing` where no job could run. */
export async function createConfiguredPlantumlRunner(capstan: Capstan, signal: AbortSignal): Promise<Runner> {
  const plantuml = await findPlantuml({ path: capstan.commandPath, ...capstan.config.tools }, signal);
  if (plantuml.dot === null) capstan.logger.warn({ hint: graphvizMissing().hint }, graphvizMissing().message);
  return openToolRoom(capstan, signal, async (room) => {
    const tool = await createPlantumlTool({ ...room, plantuml }, capstan.config.tools);
    return createDocumentRunner({
      tool,
      toolName: plantuml.name,
      artifacts: capstan.artifacts,
      dataDir: capstan.config.dataDir,
    });
  });
}
