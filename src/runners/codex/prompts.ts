/** What every agent is told besides its task: how the work is judged and how to end. */
const ours = `You work unattended on a copy of a project; nobody can answer questions or approve anything.
Work only inside the current folder. Finish the task completely, then stop.
End your last message with exactly this block, one line for each file you created, modified or deleted:

FILES_CHANGED
- created: path/of/a/new/file
- modified: path/of/a/changed/file
- deleted: path/of/a/removed/file
SUMMARY
One or two sentences on what you did.`;

/** @param project what the project itself tells agents; null where it tells nothing */
export function developerInstructions(project: string | null): string {
  if (project === null) return ours;
  return `${ours}\n\nThe project's own instructions, from its AGENTS.md, hold for its files unless they contradict the above:\n\n${project}`;
}

/** Goes on with a thread whose worker died. Fixed, so that a resumed job does not depend on who resumes it. */
export const continuationPrompt = `The process that ran you was stopped in the middle of this task and has been started again; your files are as you left them.
A command that was running was cut off, so check its effects before you rely on them. Go on with the task and finish it.`;
