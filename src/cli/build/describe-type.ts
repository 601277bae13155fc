import type { TypeProgress } from '../../contract/build-event.ts';
import { formatDuration } from '../render-job.ts';

/** `plantuml: 2 workers, 88 queued, 210 ms each` */
export function describeType({ type, activeWorkers, queueDepth, averageMs }: TypeProgress): string {
  const average = averageMs === null ? '' : `, ${formatDuration(averageMs)} each`;
  return `${type}: ${activeWorkers} ${activeWorkers === 1 ? 'worker' : 'workers'}, ${queueDepth} queued${average}`;
}
