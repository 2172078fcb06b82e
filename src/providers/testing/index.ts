/**
 * What tests of providers, and tests on providers, need: `fctl/provider-testing`. The contract suite declares
 * tests of vitest, which whoever uses it brings.
 */
export {
  type ProviderUnderTest,
  type SuiteOptions,
  describeProvider,
  nodePrograms,
} from './contract.ts';
export { type FailingAt, type FailingMoment, failingAt } from './failing-at.ts';
export { type FakeCluster, FakePlatform, type FakePlatformOptions } from './fake-platform.ts';
export { openFake } from './fake-provider.ts';
export { MemoryProcess } from './memory-process.ts';
export { MemoryStore } from '../../record/drivers/memory.ts';
export { type ClusterId, isClusterId, parseClusterId } from '../../contract/cluster-id.ts';
