import { passed, warned, type Check } from '../../codex/check.ts';
import { findDrawio } from '../../runners/drawio/find-drawio.ts';
import { findJupyter, kernelMissing } from '../../runners/notebook/find-jupyter.ts';
import { findPlantuml, graphvizMissing } from '../../runners/plantuml/find-plantuml.ts';
import type { ToolPlaces } from '../../runners/find-program.ts';
import { AppError } from '../../runtime/app-error.ts';
import { probeJail } from '../../supervisor/jail.ts';

/** The tools of the document jobs: what is missing is a warning, as only jobs of that type need it. */
export async function examineTools(places: ToolPlaces, signal: AbortSignal): Promise<readonly Check[]> {
  const found = await Promise.all([
    check('plantuml', async () => {
      const { version, jar, dot } = await findPlantuml(places, signal);
      const tool = passed('plantuml', `${version} at ${jar}`);
      return dot === null ? [tool, warned('graphviz', graphvizMissing())] : [tool, passed('graphviz', dot)];
    }),
    check('notebook', async () => {
      const { version, python, kernel } = await findJupyter(places, signal);
      const tool = passed('notebook', `nbconvert ${version} with ${python}`);
      return kernel ? [tool] : [tool, warned('notebook kernel', kernelMissing())];
    }),
    check('drawio', async () => {
      const { version } = await findDrawio(places, signal);
      return [passed('drawio', version)];
    }),
    check('tool jail', async () => {
      const jail = await probeJail(signal);
      return [jail.kind === 'none' ? warned('tool jail', noJail(jail.why)) : passed('tool jail', jailed)];
    }),
  ]);
  return found.flat();
}

const jailed = "tools see a job's files and the installed programs alone, and no network";

function noJail(why: string): AppError {
  return new AppError('configuration', 'no_jail', why, {
    hint: 'Tools see all files of this user instead; install util-linux, and allow user namespaces, for the stronger way.',
  });
}

async function check(name: string, look: () => Promise<readonly Check[]>): Promise<readonly Check[]> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [warned(name, error)];
  }
}
