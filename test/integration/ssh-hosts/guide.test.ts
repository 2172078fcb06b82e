/** The guide to hosts, on hosts of the rig. */
import { expect, it, onTestFinished, vi } from 'vitest';
import { Reader, guideSteps } from '../../docs/guide.ts';
import { describeWith } from '../../rigs/rig.ts';
import { SshHosts, sshRig } from '../../rigs/ssh-hosts/hosts.ts';
import { sharedFolder } from './project-on-hosts.ts';

// A first deployment sends 50 MB to each host.
vi.setConfig({ testTimeout: 900_000 });

describeWith([sshRig], 'the guide to hosts', () => {
  it('works as it is written', async () => {
    const set = await SshHosts.start({ count: 3 });
    onTestFinished(() => set.stop());
    const own = [
      `    user: ${set.user}`,
      `    identityFile: ${set.keyFile}`,
      `    knownHosts: ${set.knownHostsFile}`,
      '    agent: false',
      '    sshConfig: false',
    ];
    const reader = await Reader.create({}, [
      ['    user: deploy', own.join('\n')],
      ['/mnt/shared', sharedFolder(set, 'guide')],
      ...set.hosts.map(({ address }, i) => [`10.0.0.1${i + 1}`, address] as const),
    ]);
    onTestFinished(() => reader.leave());
    await expect(reader.follow(guideSteps('ssh-hosts'))).resolves.toBeUndefined();
  });
});
