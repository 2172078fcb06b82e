export { checkFence } from '../contract/fence.ts';
