export { checkFence } from '../record/fence.ts';
