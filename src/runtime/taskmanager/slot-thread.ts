/**
 * Entry point of a slot's worker thread. What it runs is built as one file, with all that an application
 * may import: hundreds of slots start at once, and each would read and link dozens of chunks. The compile
 * cache is each thread's own to enable, before that file is loaded.
 */
import { enableCompileCache } from 'node:module';

enableCompileCache();
const script = import.meta.url.endsWith('.ts') ? 'slot-thread-main.ts' : 'slot-thread-main.js';
await import(new URL(script, import.meta.url).href);
