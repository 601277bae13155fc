/** The states that a claim may leave, as the partial index `jobs_waiting` spells them. */
export const waiting = "state IN ('queued', 'parked')";

/**
 * One row for each type, queue and priority that has waiting jobs: each is a run of the index `jobs_waiting`, so that what is claimed
 * costs the same however many jobs wait, and jobs due next year at a high priority do not have to be stepped over.
 * Parameters: @types and @queues, JSON lists.
 */
export const lanes = `
  lanes (type, queue, priority) AS (
    SELECT t.value, q.value,
      (SELECT max(priority) FROM jobs WHERE ${waiting} AND type = t.value AND queue = q.value)
    FROM json_each(@types) t, json_each(@queues) q
    UNION ALL
    SELECT type, queue,
      (SELECT max(j.priority) FROM jobs j
       WHERE j.${waiting} AND j.type = lanes.type AND j.queue = lanes.queue AND j.priority < lanes.priority)
    FROM lanes WHERE priority IS NOT NULL
  )`;

/** The waiting jobs of these types and queues that a build wants. Parameter: @buildId. */
export const buildDue = `
  FROM build_jobs wanted JOIN jobs job ON job.no = wanted.job_no
  WHERE wanted.build_id = @buildId AND job.${waiting}
    AND job.type IN (SELECT value FROM json_each(@types)) AND job.queue IN (SELECT value FROM json_each(@queues))`;
