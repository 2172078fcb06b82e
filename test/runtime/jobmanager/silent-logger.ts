import type { Logger } from '../../../src/runtime/logging/logger.ts';

export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
  close: () => {},
};
