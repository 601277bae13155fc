/** A shell command that does `command` the first time that the job runs it, and nothing later; what it remembers lies in the job's HOME. */
export function once(command: string): string {
  return `test -e ~/done || { touch ~/done; exec ${command}; }`;
}
