/** Reports, and the processes of jobs, are ended within this after the drain's grace. */
export const leaveMs = 15_000;
