/**
 * Rigs: real components that integration tests run against. Where one is not installed its tests are
 * skipped, saying how to install it; where FCTL_REQUIRE_RIGS names it, its absence is a failure.
 */
// oxlint-disable vitest/valid-title, vitest/valid-describe-callback, vitest/expect-expect, vitest/no-disabled-tests, vitest/no-conditional-tests -- it makes suites of what test files give it
import { describe, it } from 'vitest';

export interface Rig {
  readonly name: string;
  /** Command that installs it, from the root of the repository. */
  readonly install: string;
  isInstalled(): boolean;
}

/** Like `describe`, for tests that need rigs. */
export function describeWith(rigs: readonly Rig[], title: string, tests: () => void): void {
  const missing = rigs.filter((rig) => !rig.isInstalled());
  if (missing.length === 0) {
    describe(title, tests);
    return;
  }
  const names = missing.map(({ name }) => name).join(', ');
  const reason = `not installed: ${names}; run ${missing.map(({ install }) => install).join(' && ')}`;
  const required = new Set(process.env['FCTL_REQUIRE_RIGS']?.split(/[\s,]+/));
  describe(title, () => {
    if (missing.some(({ name }) => required.has(name))) {
      it(reason, () => {
        throw new Error(`FCTL_REQUIRE_RIGS names a rig that is ${reason}`);
      });
    } else {
      it.skip(reason);
    }
  });
}
