/** Who runs this process, also where the machine has no such user, as in many containers. */
import { userInfo } from 'node:os';

export interface LocalUser {
  /** Where the user has no name: the number. */
  readonly name: string;
  /** By the machine's list of users, whatever HOME says; `null`: it is not in it. */
  readonly homeDir: string | null;
}

export function localUser(): LocalUser {
  try {
    const { homedir, username } = userInfo();
    return { name: username, homeDir: homedir };
  } catch {
    return { name: String(process.getuid?.() ?? 'unknown'), homeDir: null };
  }
}
