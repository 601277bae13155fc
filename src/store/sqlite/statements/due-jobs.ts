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
