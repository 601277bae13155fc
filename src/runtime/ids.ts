import { v7 } from 'uuid';

/** A new id: uuid v7, so that ids made by one process sort by time of making. */
export function newId(): string {
  return v7();
}
