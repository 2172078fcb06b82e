/** What `fctl completion` accepts, and what its help says. */
import { argument } from '../options.ts';
import { defineVerb } from '../verb.ts';

export const completion = defineVerb({
  name: 'completion',
  summary: 'Print a completion script for your shell',
  reach: 'nothing',
  arguments: { shell: argument('<shell>', 'bash, zsh or fish.', ['bash', 'zsh', 'fish']) },
  options: {},
  examples: [
    'source <(fctl completion bash)',
    'fctl completion fish > ~/.config/fish/completions/fctl.fish',
  ],
});
