import type { Runner } from '../../domain/runner.ts';
import { createDocumentRunner } from '../../runners/document/create-document-runner.ts';
import { findJupyter, kernelMissing } from '../../runners/notebook/find-jupyter.ts';
import { createNotebookTool } from '../../runners/notebook/notebook-tool.ts';
import type { Capstan } from '../open-capstan.ts';
import { openToolRoom } from './open-tool-room.ts';

/** Puts the notebook runner together; the caller starts and disposes it. Rejects with `jupyter_missing` where no job could run. */
export async function createConfiguredNotebookRunner(capstan: Capstan, signal: AbortSignal): Promise<Runner> {
  const jupyter = await findJupyter({ path: capstan.commandPath, ...capstan.config.tools }, signal);
  if (!jupyter.kernel) capstan.logger.warn({ hint: kernelMissing().hint }, kernelMissing().message);
  return openToolRoom(capstan, signal, async (room) => {
    const tool = createNotebookTool({ ...room, jupyter }, capstan.config.tools);
    return createDocumentRunner({
      tool,
      toolName: jupyter.name,
      artifacts: capstan.artifacts,
      dataDir: capstan.config.dataDir,
    });
  });
}
