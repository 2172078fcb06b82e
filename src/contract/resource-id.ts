/**
 * `Envelope.resourceId`: the name of a process and a part that each start of it has for itself,
 * `taskmanager-0/3f2a9c01`.
 */

/** `taskmanager-0/3f2a9c01` → `taskmanager-0` */
export const nameOf = (resourceId: string): string => resourceId.split('/', 1)[0]!;
